//! A gevent in Rust: stackful green threads over generator and one epoll loop.
