//! Statistics and tables, made from a record alone.
