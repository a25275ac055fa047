//! Plan, child processes, measuring, validity gates, the record.
