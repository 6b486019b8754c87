//! The client of Razorpay: payment links, orders and payments over its REST API, and its signatures.

mod breaker;
mod client;
mod entities;
mod error;
mod signature;

pub(crate) use client::{NewLink, NewRefund, Razorpay};
pub(crate) use entities::{GatewayPayment, GatewayRefund, Link, LinkStatus, number, text};
pub(crate) use error::GatewayError;
pub(crate) use signature::CallbackFields;
