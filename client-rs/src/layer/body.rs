//! The body of an answer: the service's own, or why the request did not get to it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

/// Any error, as tower passes it on.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

pin_project! {
    /// The body of an answer that passed the layer.
    #[derive(Debug)]
    pub struct AuthBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum Inner<B> {
        Theirs { #[pin] body: B },
        Ours { #[pin] body: Full<Bytes> },
    }
}

impl<B> AuthBody<B> {
    pub(super) fn theirs(body: B) -> Self {
        Self { inner: Inner::Theirs { body } }
    }

    pub(super) fn ours(body: Full<Bytes>) -> Self {
        Self { inner: Inner::Ours { body } }
    }
}

impl<B> Body for AuthBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match self.project().inner.project() {
            Projected::Theirs { body } => ready!(body.poll_frame(cx)).map(|frame| frame.map_err(Into::into)),
            Projected::Ours { body } => ready!(body.poll_frame(cx)).map(|frame| frame.map_err(Into::into)),
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Theirs { body } => body.is_end_stream(),
            Inner::Ours { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Theirs { body } => body.size_hint(),
            Inner::Ours { body } => body.size_hint(),
        }
    }
}
