//! Clients of gRPC against replicas that freeze, die, refuse and leave.

mod clocks;
mod leaving;
mod replica;
mod replicas;
