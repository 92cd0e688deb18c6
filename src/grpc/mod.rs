//! Ring 3, the wire: parse, call one use case, render.

mod account_service;
mod arrival;
mod auth_service;
mod call;
mod codec;
mod cookies;
mod export;
mod ext_authz;
mod gateway;
mod origins;
mod page;
mod parse;
mod render;
mod status;
mod token_service;

pub use account_service::AccountApi;
pub use arrival::{Arrival, RequestId};
pub use auth_service::AuthApi;
pub use call::Page;
pub use codec::StrictCodec;
pub use ext_authz::ExtAuthz;
pub use gateway::{Denial, Gateway, Pass, Visit};
pub use origins::{CookieProfile, InvalidOrigin, Origin, Origins};
pub use page::only;
pub use status::refusal;
pub use token_service::TokenApi;
