//! The lane on may: stackful green threads on every core.
