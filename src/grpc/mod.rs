//! Ring 3, the wire: parse, call one use case, render.

mod auth_service;
mod call;
mod codec;
mod cookies;
mod origins;
mod parse;
mod render;
mod status;
mod token_service;

pub use auth_service::AuthApi;
pub use call::{Page, RequestId};
pub use codec::StrictCodec;
pub use origins::{CookieProfile, InvalidOrigin, Origin, Origins};
pub use status::refusal;
pub use token_service::TokenApi;
