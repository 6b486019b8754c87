//! The system suite: all five services, real sockets, Postgres, Redis and SMTP.

mod journey;
mod sign_in;
