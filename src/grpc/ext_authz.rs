//! `envoy.service.auth.v3.Authorization`: how Envoy, Istio, Contour and gRPC itself ask.

use envoy_types::{
    ext_authz::v3::pb::{
        Authorization, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue,
        HeaderValueOption, HttpResponse, HttpStatus, OkHttpResponse,
    },
    pb::google::rpc,
};
use tonic::{
    Code, Request, Response, Status,
    codegen::http::{HeaderMap, HeaderName, Method},
};

use super::{Arrival, Denial, Gateway, Pass, Visit, gateway::PREFIX};

/// Answers Envoy. A visitor's bad token is an answer, not an error of the call: an error is what Envoy may be told to let
/// through.
#[derive(Debug, Clone)]
pub struct ExtAuthz(Gateway);

impl ExtAuthz {
    /// Answers with `gateway`.
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        Self(gateway)
    }
}

#[tonic::async_trait]
impl Authorization for ExtAuthz {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let question = Arrival::of(request.extensions()).cloned();
        let (method, headers) = visitor(request.into_inner());
        let spoofed = spoofed(&headers);
        let answer = match self.0.check(Visit { method, headers, question }).await {
            Ok(pass) => answer(Code::Ok, HttpResponse::OkResponse(passed(&pass, spoofed))),
            Err(denial) => answer(denial.code, HttpResponse::DeniedResponse(denied(denial))),
        };
        Ok(Response::new(answer))
    }
}

/// The visitor's method and headers; what is no header of HTTP's, like `:path`, is left out.
fn visitor(request: CheckRequest) -> (Option<Method>, HeaderMap) {
    let http = request.attributes.and_then(|attributes| attributes.request).and_then(|request| request.http);
    let http = http.unwrap_or_default();
    let headers = http.headers.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
    (http.method.parse().ok(), headers.collect())
}

/// Headers by which the visitor would pass for somebody: some servers read `x_auth_user` as `x-auth-user`.
fn spoofed(headers: &HeaderMap) -> Vec<String> {
    let names = headers.keys().map(HeaderName::as_str);
    names.filter(|name| name.replace('_', "-").starts_with(PREFIX)).map(ToOwned::to_owned).collect()
}

fn passed(pass: &Pass, spoofed: Vec<String>) -> OkHttpResponse {
    let told = pass.headers();
    let is_told = |name: &String| told.iter().any(|(own, _)| own.as_str() == name);
    let mut remove: Vec<_> = spoofed.into_iter().filter(|name| !is_told(name)).collect();
    let mut headers: Vec<_> =
        told.iter().map(|(name, value)| header(name.as_str(), value.to_str().unwrap_or(""))).collect();
    match pass.cookies() {
        "" => remove.push("cookie".to_owned()),
        rest => headers.push(header("cookie", rest)),
    }
    OkHttpResponse { headers, headers_to_remove: remove, ..OkHttpResponse::default() }
}

fn denied(denial: Denial) -> DeniedHttpResponse {
    let challenge = denial.challenge.iter().map(|challenge| header("www-authenticate", challenge));
    DeniedHttpResponse {
        // Left out, it is 403 whatever the code.
        status: Some(HttpStatus { code: i32::from(denial.status) }),
        headers: challenge.chain([header("cache-control", "no-store")]).collect(),
        body: denial.message + "\n",
    }
}

/// Puts a header in place of whatever the visitor sent by that name.
fn header(name: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), value: value.to_owned(), ..HeaderValue::default() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: true,
        ..HeaderValueOption::default()
    }
}

fn answer(code: Code, response: HttpResponse) -> CheckResponse {
    let status = rpc::Status { code: code.into(), ..rpc::Status::default() };
    CheckResponse { status: Some(status), http_response: Some(response), ..CheckResponse::default() }
}
