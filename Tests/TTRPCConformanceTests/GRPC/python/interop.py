"""A client that runs one case of gRPC's interoperability tests.

usage: interop.py SOCKET PROTO_FOLDER CASE

The cases are described in
https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md.
Prints `passed`, or fails.
"""

import importlib
import subprocess
import sys
import tempfile
import threading

import grpc

SERVICE = "grpc.testing.TestService"
# No case takes so long, on the slowest machine.
TIMEOUT = 600


def load_messages(folder):
    """Generates and imports the message classes."""
    with tempfile.TemporaryDirectory() as output:
        subprocess.run(
            ["protoc", f"-I{folder}", f"--python_out={output}", "interop.proto"], check=True)
        sys.path.insert(0, output)
        return importlib.import_module("interop_pb2")


class Client:
    def __init__(self, target, messages, options=()):
        self.messages = messages
        self.channel = grpc.insecure_channel(target, options)

    def _method(self, make, name, response, service=SERVICE):
        return make(
            f"/{service}/{name}", request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString)

    def empty_call(self, name="EmptyCall", service=SERVICE):
        return self._method(self.channel.unary_unary, name, self.messages.Nothing, service)

    def unary_call(self):
        return self._method(
            self.channel.unary_unary, "UnaryCall", self.messages.SimpleResponse)

    def streaming_output_call(self):
        return self._method(
            self.channel.unary_stream, "StreamingOutputCall",
            self.messages.StreamingOutputCallResponse)

    def streaming_input_call(self):
        return self._method(
            self.channel.stream_unary, "StreamingInputCall",
            self.messages.StreamingInputCallResponse)

    def full_duplex_call(self):
        return self._method(
            self.channel.stream_stream, "FullDuplexCall",
            self.messages.StreamingOutputCallResponse)

    def payload(self, size):
        return self.messages.Payload(body=bytes(size))

    def large_request(self, **fields):
        return self.messages.SimpleRequest(
            response_size=314159, payload=self.payload(271828), **fields)

    def output_request(self, response_size, request_size):
        return self.messages.StreamingOutputCallRequest(
            response_parameters=[self.messages.ResponseParameters(size=response_size)],
            payload=self.payload(request_size))


class Requests:
    """A stream of requests that a case sends one by one."""

    def __init__(self):
        self._changed = threading.Condition()
        self._waiting = []
        self._ended = False

    def send(self, request):
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()

    def end(self):
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __iter__(self):
        return self

    def __next__(self):
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if not self._waiting:
                raise StopIteration
            return self._waiting.pop(0)


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def failure(call):
    """Returns the error with which a function fails."""
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call did not fail")


def check_status(error, code, details=None):
    check(error.code() == code, f"{error.code()} {error.details()}, not {code}")
    if details is not None:
        check(error.details() == details, f"{error.details()!r}, not {details!r}")


def empty_unary(client):
    response = client.empty_call()(client.messages.Nothing(), timeout=TIMEOUT)
    check(response == client.messages.Nothing(), response)


def large_unary(client, **options):
    response = client.unary_call()(client.large_request(), timeout=TIMEOUT, **options)
    check(response.payload.body == bytes(314159), "wrong response")


def client_compressed_unary(client):
    compressed = client.large_request(
        expect_compressed=client.messages.BoolValue(value=True))
    # A server that ignores the compression of requests is noticed.
    error = failure(lambda: client.unary_call()(
        compressed, compression=grpc.Compression.NoCompression, timeout=TIMEOUT))
    check_status(error, grpc.StatusCode.INVALID_ARGUMENT)
    for compression, request in [
        (grpc.Compression.Gzip, compressed),
        (grpc.Compression.NoCompression, client.large_request()),
    ]:
        response = client.unary_call()(request, compression=compression, timeout=TIMEOUT)
        check(response.payload.body == bytes(314159), "wrong response")
    # The server names the encodings that it knows when it gets another.
    error = failure(lambda: client.unary_call()(
        compressed, compression=grpc.Compression.Deflate, timeout=TIMEOUT))
    check_status(error, grpc.StatusCode.UNIMPLEMENTED, "unsupported grpc-encoding deflate")


def stream_input(client, compression):
    sizes = [27182, 8, 1828, 45904]
    requests = (
        client.messages.StreamingInputCallRequest(payload=client.payload(size)) for size in sizes)
    response = client.streaming_input_call()(requests, compression=compression, timeout=TIMEOUT)
    check(response.aggregated_payload_size == 74922, response)


def client_streaming(client):
    stream_input(client, grpc.Compression.NoCompression)


def client_compressed_streaming(client):
    stream_input(client, grpc.Compression.Gzip)


def server_streaming(client):
    sizes = [31415, 9, 2653, 58979]
    request = client.messages.StreamingOutputCallRequest(
        response_parameters=[client.messages.ResponseParameters(size=size) for size in sizes])
    responses = client.streaming_output_call()(request, timeout=TIMEOUT)
    check([len(response.payload.body) for response in responses] == sizes, "wrong responses")


def ping_pong(client):
    requests = Requests()
    responses = client.full_duplex_call()(requests, timeout=TIMEOUT)
    for response_size, request_size in [(31415, 27182), (9, 8), (2653, 1828), (58979, 45904)]:
        requests.send(client.output_request(response_size, request_size))
        response = next(responses)
        check(response.payload.body == bytes(response_size), "wrong response")
    requests.end()
    check(list(responses) == [], "too many responses")


def empty_stream(client):
    check(list(client.full_duplex_call()(iter(()), timeout=TIMEOUT)) == [], "a response")


def cancel_after_begin(client):
    requests = Requests()
    call = client.streaming_input_call().future(requests, timeout=TIMEOUT)
    call.cancel()
    check(call.cancelled(), "not cancelled")
    check(call.code() == grpc.StatusCode.CANCELLED, call.code())
    requests.end()


def cancel_after_first_response(client):
    requests = Requests()
    call = client.full_duplex_call()(requests, timeout=TIMEOUT)
    requests.send(client.output_request(31415, 27182))
    check(len(next(call).payload.body) == 31415, "wrong response")
    call.cancel()
    check_status(failure(lambda: next(call)), grpc.StatusCode.CANCELLED)
    requests.end()


def timeout_on_sleeping_server(client):
    requests = Requests()
    call = client.full_duplex_call()(requests, timeout=0.001)
    requests.send(client.messages.StreamingOutputCallRequest(payload=client.payload(27182)))
    check_status(failure(lambda: next(call)), grpc.StatusCode.DEADLINE_EXCEEDED)
    requests.end()


def ask_for_status(client, code, message):
    status = client.messages.EchoStatus(code=code.value[0], message=message)
    error = failure(lambda: client.unary_call()(
        client.messages.SimpleRequest(response_status=status), timeout=TIMEOUT))
    check_status(error, code, message)
    request = client.messages.StreamingOutputCallRequest(response_status=status)
    error = failure(lambda: list(client.full_duplex_call()(iter([request]), timeout=TIMEOUT)))
    check_status(error, code, message)


def status_code_and_message(client):
    ask_for_status(client, grpc.StatusCode.UNKNOWN, "test status message")


def special_status_message(client):
    ask_for_status(
        client, grpc.StatusCode.UNKNOWN,
        "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")


def unimplemented_method(client):
    call = client.empty_call("UnimplementedCall")
    error = failure(lambda: call(client.messages.Nothing(), timeout=TIMEOUT))
    check_status(error, grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service(client):
    call = client.empty_call("UnimplementedCall", "grpc.testing.UnimplementedService")
    error = failure(lambda: call(client.messages.Nothing(), timeout=TIMEOUT))
    check_status(error, grpc.StatusCode.UNIMPLEMENTED)


def custom_metadata(client):
    initial = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
    trailing = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
    metadata = [initial, trailing]
    _, unary = client.unary_call().with_call(
        client.large_request(), metadata=metadata, timeout=TIMEOUT)
    stream = client.full_duplex_call()(
        iter([client.output_request(314159, 271828)]), metadata=metadata, timeout=TIMEOUT)
    check(len(list(stream)) == 1, "not one response")
    error = failure(lambda: client.unary_call()(
        client.messages.SimpleRequest(response_status=client.messages.EchoStatus(code=2)),
        metadata=metadata, timeout=TIMEOUT))
    for call in [unary, stream, error]:
        check(trailing in call.trailing_metadata(), f"trailers {call.trailing_metadata()}")
    for call in [unary, stream]:
        check(initial in call.initial_metadata(), f"headers {call.initial_metadata()}")


def concurrent_large_unary(client):
    calls = [client.unary_call().future(client.large_request(), timeout=TIMEOUT)
             for _ in range(300)]
    for call in calls:
        check(call.result().payload.body == bytes(314159), "wrong response")


def keepalive(client):
    """Calls, with a PING frame for each response and one whenever 10 ms pass without one."""
    for _ in range(300):
        large_unary(client)


CASES = [
    empty_unary, large_unary, client_compressed_unary, client_streaming,
    client_compressed_streaming, server_streaming, ping_pong, empty_stream, cancel_after_begin,
    cancel_after_first_response, timeout_on_sleeping_server, status_code_and_message,
    special_status_message, unimplemented_method, unimplemented_service, custom_metadata,
    concurrent_large_unary, keepalive,
]


def main():
    socket, folder, name = sys.argv[1:]
    case = next(case for case in CASES if case.__name__ == name)
    options = []
    if case is keepalive:
        options = [("grpc.keepalive_time_ms", 10), ("grpc.http2.max_pings_without_data", 0)]
    client = Client(f"unix:{socket}", load_messages(folder), options)
    case(client)
    client.channel.close()
    print("passed")


main()
