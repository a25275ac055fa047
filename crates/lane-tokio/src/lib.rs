//! The lanes on tokio: the same functions with async/await.
