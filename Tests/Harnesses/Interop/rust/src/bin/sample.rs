//! Reserves credits, commits them, and waits until one of the user's mockups is completed.

use std::os::unix::{io::IntoRawFd, net::UnixStream};
use std::time::Duration;
use std::{env, fs, process, thread};

use interop::credits::{
    CommitReservationRequest, CommitReservationResponse, ReserveCreditsRequest,
    ReserveCreditsResponse,
};
use interop::mockups::{ListMockupsRequest, ListMockupsResponse, MockupStatus};
use protobuf::Message;
use ttrpc::{Client, Code, Error, Result};

const CREDITS: &str = "mockups.v1.CreditService";
const MOCKUPS: &str = "mockups.v1.MockupService";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [socket, user] = match <[String; 2]>::try_from(arguments) {
        Ok(both) => both,
        Err(_) => fail("usage: sample SOCKET USER"),
    };
    let mut server = Server { socket, client: None };
    let result = spend(&mut server, &user).and_then(|()| poll(&mut server, &user));
    if let Err(error) = result {
        fail(&format!("sample: {error}"));
    }
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    process::exit(1);
}

/// Connects to mockupd. A ttrpc client does not reconnect: a failed client is replaced.
struct Server {
    socket: String,
    client: Option<Client>,
}

impl Server {
    /// Makes an idempotent call, and makes it again while the server is unavailable.
    fn retry<R: Message>(
        &mut self,
        service: &str,
        method: &str,
        request: &dyn Message,
    ) -> Result<R> {
        let mut attempt = 1;
        loop {
            let error = match self.call(service, method, request) {
                Err(error) => error,
                success => return success,
            };
            match &error {
                Error::RpcStatus(status) if status.get_code() != Code::UNAVAILABLE => {
                    return Err(error)
                }
                Error::RpcStatus(_) => (),
                // An error without a status is a connection that failed.
                _ => self.client = None,
            }
            if attempt == 8 {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(50 << attempt));
            attempt += 1;
        }
    }

    fn call<R: Message>(
        &mut self,
        service: &str,
        method: &str,
        request: &dyn Message,
    ) -> Result<R> {
        if self.client.is_none() {
            let stream = UnixStream::connect(&self.socket)
                .map_err(|error| Error::Socket(error.to_string()))?;
            self.client = Some(Client::new(stream.into_raw_fd()));
        }
        let mut envelope = ttrpc::Request::new();
        envelope.set_service(service.to_string());
        envelope.set_method(method.to_string());
        envelope.set_timeout_nano(10_000_000_000);
        envelope.set_payload(request.write_to_bytes().map_err(|e| Error::Others(e.to_string()))?);
        let response = self.client.as_ref().expect("a client").request(envelope)?;
        R::parse_from_bytes(&response.payload).map_err(|e| Error::Others(e.to_string()))
    }
}

fn spend(server: &mut Server, user: &str) -> Result<()> {
    // Store the id with the work: after a crash, the next run continues with the same id.
    let reservation = new_id();
    let mut request = ReserveCreditsRequest::new();
    request.set_user_id(user.to_string());
    request.set_reservation_id(reservation.clone());
    request.set_credits(3);
    let reserved: ReserveCreditsResponse = server.retry(CREDITS, "ReserveCredits", &request)?;
    if !reserved.success {
        return Err(Error::Others(reserved.message));
    }
    println!("reserved {} credits", reserved.granted);

    // The paid work happens here. The vendor charged 2 credits; the commit releases the third.
    let mut request = CommitReservationRequest::new();
    request.set_user_id(user.to_string());
    request.set_reservation_id(reservation);
    request.set_credits(2);
    let committed: CommitReservationResponse =
        server.retry(CREDITS, "CommitReservation", &request)?;
    println!("committed {} credits, {} remaining", committed.committed, committed.remaining);
    Ok(())
}

fn new_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/uuid").expect("a UUID").trim().to_string()
}

/// Lists the completed mockups every second: this version of ttrpc-rust has no streams.
fn poll(server: &mut Server, user: &str) -> Result<()> {
    let mut request = ListMockupsRequest::new();
    request.set_user_id(user.to_string());
    request.set_status(MockupStatus::MOCKUP_STATUS_COMPLETED);
    loop {
        let response: ListMockupsResponse = server.retry(MOCKUPS, "ListMockups", &request)?;
        if let Some(mockup) = response.mockups.first() {
            println!("{}: {}", mockup.scene, mockup.file_url);
            return Ok(());
        }
        thread::sleep(Duration::from_secs(1));
    }
}
