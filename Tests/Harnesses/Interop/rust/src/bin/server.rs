//! Serves the service `p` with the server of ttrpc-rust, for tests of the Swift client. Its
//! messages are {1: int64} unless a method says otherwise. scripts/interop runs it.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::os::unix::io::{FromRawFd, IntoRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use std::{env, fs, process, thread};

use interop::serialized;
use protobuf::well_known_types::{BytesValue, Int64Value, StringValue};
use protobuf::Message;
use ttrpc::{
    get_status, response_to_channel, Code, Error, MethodHandler, Request, Response, Result, Server,
    Status, TtrpcContext,
};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [socket] = match <[String; 1]>::try_from(arguments) {
        Ok(one) => one,
        Err(_) => {
            eprintln!("usage: server SOCKET");
            process::exit(64);
        }
    };
    let _ = fs::remove_file(&socket);
    // `Server::bind` supports only abstract sockets, so the descriptor is made here.
    let listener = UnixListener::bind(&socket).expect("cannot bind the socket").into_raw_fd();
    let mut server = Server::new()
        .add_listener(listener)
        .expect("cannot add the listener")
        .register_service(methods());
    server.start().expect("cannot start the server");
    loop {
        thread::park();
    }
}

/// A method, which maps a call and the number in its request to the bytes of the response.
struct Method(fn(&TtrpcContext, i64) -> std::result::Result<Vec<u8>, Status>);

impl MethodHandler for Method {
    fn handler(&self, context: TtrpcContext, request: Request) -> Result<()> {
        let number = Int64Value::parse_from_bytes(&request.payload)
            .map_err(|e| Error::Others(e.to_string()))?
            .value;
        let mut response = Response::new();
        match self.0(&context, number) {
            Ok(payload) => response.set_payload(payload),
            Err(status) => response.set_status(status),
        }
        response_to_channel(context.mh.stream_id, response, context.res_tx)
    }
}

/// The number of calls of Wait that have begun.
static BEGUN: AtomicI64 = AtomicI64::new(0);

fn methods() -> HashMap<String, Box<dyn MethodHandler + Send + Sync>> {
    let all: [(&str, Method); 8] = [
        // Returns the request plus 1.
        ("Echo", Method(|_, request| Ok(number(request + 1)))),
        ("Refuse", Method(|_, _| Err(get_status(Code::FAILED_PRECONDITION, "no")))),
        // Returns the request, after that number of milliseconds.
        (
            "Wait",
            Method(|_, request| {
                BEGUN.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(request as u64));
                Ok(number(request))
            }),
        ),
        // Returns the number of calls of Wait that have begun.
        ("Begun", Method(|_, _| Ok(number(BEGUN.load(Ordering::SeqCst))))),
        // Returns {1: bytes} with that number of bytes.
        (
            "Large",
            Method(|_, request| {
                let mut answer = BytesValue::new();
                answer.set_value(vec![0; request as usize]);
                Ok(serialized(&answer))
            }),
        ),
        // Returns {1: string}: the values of k in the metadata, separated by commas.
        (
            "Metadata",
            Method(|context, _| {
                let mut answer = StringValue::new();
                answer.set_value(context.metadata.get("k").cloned().unwrap_or_default().join(","));
                Ok(serialized(&answer))
            }),
        ),
        // Returns the timeout of the call in nanoseconds; 0 without a timeout.
        ("Deadline", Method(|context, _| Ok(number(context.timeout_nano)))),
        // Closes the connection, without a response.
        (
            "Cut",
            Method(|context, _| {
                shut(context.fd);
                Ok(number(0))
            }),
        ),
    ];
    all.into_iter()
        .map(|(name, method)| {
            (format!("/p/{name}"), Box::new(method) as Box<dyn MethodHandler + Send + Sync>)
        })
        .collect()
}

fn number(value: i64) -> Vec<u8> {
    let mut answer = Int64Value::new();
    answer.set_value(value);
    serialized(&answer)
}

/// Shuts a socket down for both sides, and leaves its descriptor open for the server to close.
fn shut(descriptor: RawFd) {
    let stream = ManuallyDrop::new(unsafe { UnixStream::from_raw_fd(descriptor) });
    let _ = stream.shutdown(Shutdown::Both);
}
