//! Tokens and the keys behind them: what is ours passes, and nothing else that anybody can write.

mod clocks;
mod dump;
mod foreign;
mod forge;
mod forgeries;
mod master_keys;
mod mutations;
mod published;
mod vectors;

use countersign::{
    app::{App, Error, Rejection},
    domain::{AccessToken, Device, RefreshToken},
};

/// What becomes of an access token, in process: thousands are tried.
async fn authenticate(app: &App, token: &str) -> Result<(), Rejection> {
    match app.verifier().authenticate(Some(&AccessToken::from_text(token.to_owned()))).await {
        Ok(_) => Ok(()),
        Err(Error::Rejected(rejection)) => Err(rejection),
        Err(Error::Failed(fault)) => panic!("{fault:?}"),
    }
}

/// What becomes of a refresh token, in process.
async fn refresh(app: &App, token: &str) -> Result<(), Rejection> {
    match app.refresh(&RefreshToken::from_text(token.to_owned()), Device::default()).await {
        Ok(_) => Ok(()),
        Err(Error::Rejected(rejection)) => Err(rejection),
        Err(Error::Failed(fault)) => panic!("{fault:?}"),
    }
}
