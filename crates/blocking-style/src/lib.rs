//! The sync-looking code: one blocking function that fetches, one that fans out and folds.
