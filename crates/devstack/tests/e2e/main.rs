//! The system suite: all five services, real sockets, Postgres, Redis and SMTP.

mod sign_in;
