//! Calls mockupd with the client of ttrpc-rust and messages of rust-protobuf's generator. Prints a
//! line for each check, and exits with 1 if one of them fails. scripts/interop runs it.
//!
//! `Client::connect` supports only abstract sockets, so the descriptor is made here. The generator
//! of stubs is not packaged; `call` replaces them.

use std::fmt::Debug;
use std::os::unix::{io::IntoRawFd, net::UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, process, thread};

use interop::credits::*;
use interop::serialized;
use protobuf::Message;
use ttrpc::context::{self, Context};
use ttrpc::{Client, Code, Error, Result};

const RESERVATION: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const SERVICE: &str = "mockups.v1.CreditService";
const SECOND: i64 = 1_000_000_000;

static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints whether a check holds, and the values it has seen if it does not.
fn check(what: &str, ok: bool, got: impl Debug) {
    if ok {
        println!("ok   {what}");
    } else {
        FAILED.store(true, Ordering::SeqCst);
        println!("FAIL {what} {got:?}");
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [socket, user, slow, trace] = match <[String; 4]>::try_from(arguments) {
        Ok(four) => four,
        Err(_) => {
            eprintln!("usage: client SOCKET USER SLOW-USER TRACE-ID");
            process::exit(64);
        }
    };
    let client = connect(&socket);
    spend(&client, &user);
    refuse(&client, &user);
    send_metadata(&client, &user, &trace);
    call_at_once(&client, &user);
    run_out_of_time(&client, &user, &slow);
    process::exit(if FAILED.load(Ordering::SeqCst) { 1 } else { 0 });
}

fn connect(socket: &str) -> Client {
    match UnixStream::connect(socket) {
        Ok(stream) => Client::new(stream.into_raw_fd()),
        Err(error) => {
            eprintln!("client: {socket}: {error}");
            process::exit(1);
        }
    }
}

fn call<Response: Message>(
    client: &Client,
    context: Context,
    service: &str,
    method: &str,
    request: &impl Message,
) -> Result<Response> {
    let mut envelope = ttrpc::Request::new();
    envelope.set_service(service.to_string());
    envelope.set_method(method.to_string());
    envelope.set_timeout_nano(context.timeout_nano);
    envelope.set_metadata(context::to_pb(context.metadata));
    envelope.set_payload(serialized(request));
    let response = client.request(envelope)?;
    Response::parse_from_bytes(&response.payload).map_err(|e| Error::Others(e.to_string()))
}

/// Calls the credit service, with a timeout of 900 seconds.
fn credits<Response: Message>(
    client: &Client,
    method: &str,
    request: &impl Message,
) -> Result<Response> {
    call(client, context::with_timeout(900 * SECOND), SERVICE, method, request)
}

fn reserve(client: &Client, user: &str, id: &str, credits: i32) -> Result<ReserveCreditsResponse> {
    self::credits(client, "ReserveCredits", &reservation(user, id, credits))
}

fn reservation(user: &str, id: &str, credits: i32) -> ReserveCreditsRequest {
    let mut request = ReserveCreditsRequest::new();
    request.set_user_id(user.to_string());
    request.set_reservation_id(id.to_string());
    request.set_credits(credits);
    request
}

fn usage(client: &Client, user: &str) -> Result<GetCreditUsageResponse> {
    credits(client, "GetCreditUsage", &usage_of(user))
}

fn usage_of(user: &str) -> GetCreditUsageRequest {
    let mut request = GetCreditUsageRequest::new();
    request.set_user_id(user.to_string());
    request
}

/// Returns the code and the message of a call that failed with a status.
fn status<Response>(result: &Result<Response>) -> Option<(Code, &str)> {
    match result {
        Err(Error::RpcStatus(status)) => Some((status.get_code(), status.get_message())),
        _ => None,
    }
}

fn has_code<Response>(result: &Result<Response>, code: Code) -> bool {
    matches!(status(result), Some((is, message)) if is == code && !message.is_empty())
}

/// Reserves credits, repeats that call, commits a part, and reads the usage and the ledger.
fn spend(client: &Client, user: &str) {
    let reserved = reserve(client, user, RESERVATION, 3);
    check(
        "credits are reserved",
        matches!(&reserved, Ok(answer) if answer.success && answer.remaining == 7
            && !answer.replayed && answer.message == "Credits reserved successfully."
            && answer.get_reservation().state == ReservationState::RESERVATION_STATE_HELD),
        &reserved,
    );
    let again = reserve(client, user, RESERVATION, 3);
    check(
        "a retry with the same id has the same response",
        matches!(&again, Ok(answer) if answer.success && answer.remaining == 7 && answer.replayed),
        &again,
    );

    let mut request = CommitReservationRequest::new();
    request.set_user_id(user.to_string());
    request.set_reservation_id(RESERVATION.to_string());
    request.set_credits(2);
    let committed: Result<CommitReservationResponse> =
        credits(client, "CommitReservation", &request);
    check(
        "a part is committed, and the rest is released",
        matches!(&committed, Ok(answer) if answer.committed == 2 && answer.released == 1
            && answer.remaining == 8),
        &committed,
    );

    let usage = usage(client, user);
    check(
        "the usage has the committed credits",
        matches!(&usage, Ok(answer) if answer.total_used == 2 && answer.held == 0
            && answer.annual_budget == 10 && answer.remaining_annual == 8),
        &usage,
    );

    let mut request = ListCreditUsageRequest::new();
    request.set_user_id(user.to_string());
    let entries: Result<ListCreditUsageResponse> = credits(client, "ListCreditUsage", &request);
    check(
        "the ledger has one entry",
        matches!(&entries, Ok(answer) if answer.next_page_token.is_empty()
            && matches!(answer.get_entries(), [entry] if entry.credits == 2
                && entry.reservation_id == RESERVATION)),
        &entries,
    );
}

/// Makes calls that fail, on a connection that is used afterwards.
fn refuse(client: &Client, user: &str) {
    let short = reserve(client, user, NOBODY, 9);
    check(
        "insufficient credits are not an error",
        matches!(&short, Ok(answer) if !answer.success
            && answer.message == "Insufficient credits. 8 remaining."),
        &short,
    );
    let unknown = usage(client, NOBODY);
    check("an unknown user is NOT_FOUND", has_code(&unknown, Code::NOT_FOUND), &unknown);
    let negative = reserve(client, user, NOBODY, -1);
    check(
        "negative credits are INVALID_ARGUMENT",
        has_code(&negative, Code::INVALID_ARGUMENT),
        &negative,
    );
    for (what, service) in [("method", SERVICE), ("service", "mockups.v1.Nope")] {
        let unknown: Result<GetCreditUsageResponse> =
            call(client, Context::default(), service, "Nope", &usage_of(user));
        check(
            &format!("an unknown {what} is UNIMPLEMENTED"),
            has_code(&unknown, Code::UNIMPLEMENTED),
            &unknown,
        );
    }
}

/// Sends a trace id in the metadata. The script checks that the server logs it.
fn send_metadata(client: &Client, user: &str, trace: &str) {
    let mut context = context::with_timeout(900 * SECOND);
    context.add("traceparent".to_string(), format!("00-{trace}-00f067aa0ba902b7-01"));
    context.metadata.insert("other".to_string(), vec!["a".to_string(), "b".to_string()]);
    let answer: Result<GetCreditUsageResponse> =
        call(client, context, SERVICE, "GetCreditUsage", &usage_of(user));
    check("a call with metadata succeeds", answer.is_ok(), &answer);
}

/// Makes calls from many threads on one connection.
fn call_at_once(client: &Client, user: &str) {
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (client, user) = (client.clone(), user.to_string());
            thread::spawn(move || {
                (0..25)
                    .map(|number| {
                        let number = caller * 25 + number + 1;
                        let id = format!("00000000-0000-4000-8000-{number:012}");
                        reserve(&client, &user, &id, 1).map(|answer| answer.success)
                    })
                    .collect::<Result<Vec<bool>>>()
            })
        })
        .collect();
    let answers: Result<Vec<Vec<bool>>> =
        callers.into_iter().map(|caller| caller.join().expect("a caller panicked")).collect();
    check(
        "of 200 calls by 8 threads as many succeed as there are credits",
        matches!(&answers, Ok(all) if all.concat().len() == 200
            && all.concat().iter().filter(|success| **success).count() == 8),
        &answers,
    );
}

/// Makes calls that exceed the client's deadline and the server's.
fn run_out_of_time(client: &Client, user: &str, slow: &str) {
    let request = reservation(slow, RESERVATION, 1);
    let late: Result<ReserveCreditsResponse> =
        call(client, context::with_timeout(SECOND / 5), SERVICE, "ReserveCredits", &request);
    // The client has no status code for its own timeout; the first of the two deadlines ends the
    // call.
    check(
        "the client's deadline ends a call",
        has_code(&late, Code::DEADLINE_EXCEEDED)
            || matches!(&late, Err(Error::Others(text)) if text.contains("timeout")),
        &late,
    );
    // -1 ns: an expired deadline for the server, and 584 years for this client.
    let passed: Result<ReserveCreditsResponse> =
        call(client, context::with_timeout(-1), SERVICE, "ReserveCredits", &request);
    check(
        "the server's deadline ends a call, with a status",
        has_code(&passed, Code::DEADLINE_EXCEEDED),
        &passed,
    );
    let usage = usage(client, user);
    check(
        "the connection is still open",
        matches!(&usage, Ok(answer) if answer.annual_budget == 10),
        &usage,
    );
}
