//! The body of an answer: the service's own, until its session ends, or why the request did not get to it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

use super::denial::Denial;
use crate::Refusal;

/// Any error, as tower passes it on.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Comes when the session of whoever is answered has ended.
pub(super) type End = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A body that has given so much without a pause is a stream.
const MANY_FRAMES: u32 = 16;

pin_project! {
    /// The body of an answer that passed the layer.
    pub struct AuthBody<B> {
        #[pin]
        theirs: Option<B>,
        ours: Full<Bytes>,
        cut: Option<Cut>,
        frames: u32,
    }
}

/// How a stream ends before its time.
struct Cut {
    end: End,
    /// gRPC has a place for the reason; a body of HTTP can only break off, lest it passes for whole.
    trailers: Option<HeaderMap>,
}

/// The answer, which goes on until `end` comes.
pub(super) fn ending<B>(answer: Response<B>, end: Option<End>) -> Response<AuthBody<B>> {
    let cut = end.map(|end| Cut { end, trailers: Denial::SessionEnded.trailers(answer.headers()) });
    answer.map(|body| AuthBody { theirs: Some(body), ours: Full::default(), cut, frames: 0 })
}

impl<B> AuthBody<B> {
    pub(super) fn ours(body: Full<Bytes>) -> Self {
        Self { theirs: None, ours: body, cut: None, frames: 0 }
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
        let mut this = self.project();
        let Some(body) = this.theirs.as_mut().as_pin_mut() else {
            return Poll::Ready(ready!(Pin::new(this.ours).poll_frame(cx)).map(|frame| frame.map_err(Into::into)));
        };
        // An answer that was ready before the session ended gets through whole, such as the one to a sign-out.
        if *this.frames < MANY_FRAMES {
            *this.frames += 1;
            if let Poll::Ready(frame) = body.poll_frame(cx) {
                return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
            }
            *this.frames = MANY_FRAMES;
        }
        if let Some(cut) = this.cut.as_mut()
            && cut.end.as_mut().poll(cx).is_ready()
        {
            let trailers = cut.trailers.take();
            // Whoever writes to the stream learns that nobody reads it.
            this.theirs.set(None);
            *this.cut = None;
            return Poll::Ready(Some(trailers.map(Frame::trailers).ok_or_else(|| Refusal::SessionEnded.into())));
        }
        let Some(body) = this.theirs.as_pin_mut() else { return Poll::Ready(None) };
        Poll::Ready(ready!(body.poll_frame(cx)).map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.theirs.as_ref().map_or_else(|| self.ours.is_end_stream(), Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.theirs.as_ref().map_or_else(|| self.ours.size_hint(), Body::size_hint)
    }
}

impl<B> fmt::Debug for AuthBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::ready, task::Waker};

    use super::*;

    /// A stream that always has more.
    struct Endless;

    impl Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"more")))))
        }
    }

    #[test]
    fn a_stream_that_never_pauses_ends_too() {
        let mut body = ending(Response::new(Endless), Some(Box::pin(ready(())))).into_body();
        let mut cx = Context::from_waker(Waker::noop());
        let mut next = || Pin::new(&mut body).poll_frame(&mut cx);
        for _ in 0..MANY_FRAMES {
            assert!(matches!(next(), Poll::Ready(Some(Ok(_)))));
        }
        assert!(matches!(next(), Poll::Ready(Some(Err(_)))), "cut");
        assert!(matches!(next(), Poll::Ready(None)), "and over");
    }
}
