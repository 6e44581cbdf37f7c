import CNghttp2
import NIOCore

@testable import GRPC

/// The client's side of an HTTP/2 connection, by libnghttp2: it sends requests, and reports the
/// frames of the server.
///
/// It opens no more streams than the server permits, sends no more data than the windows permit,
/// and grants no window unless it is told to. It is used on one event loop.
@safe final class HTTP2ClientSession {
  /// The data of a stream that was not sent yet.
  private struct Body {
    var bytes = ByteBuffer()
    var hasEnded = false
  }

  private let session: OpaquePointer
  private var bodies: [Int32: Body] = [:]
  private var headers: [String: String] = [:]
  /// Handles a frame of the server on a stream; 0 for GOAWAY.
  private let report: (Int, GRPCPeer.Event) -> Void

  init(window: Int, report: @escaping (Int, GRPCPeer.Event) -> Void) {
    self.report = report
    var option: OpaquePointer?
    unsafe nghttp2_option_new(&option)
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    var callbacks: OpaquePointer?
    unsafe nghttp2_session_callbacks_new(&callbacks)
    unsafe Self.set(callbacks)
    var session: OpaquePointer?
    unsafe nghttp2_session_client_new2(&session, callbacks, nil, option)
    unsafe nghttp2_session_callbacks_del(callbacks)
    unsafe nghttp2_option_del(option)
    guard let session = unsafe session else { preconditionFailure("out of memory") }
    unsafe self.session = session
    unsafe nghttp2_session_set_user_data(
      session, UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque()))
    var setting = nghttp2_settings_entry(
      settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(window))
    unsafe nghttp2_submit_settings(session, 0, &setting, 1)
  }

  deinit {
    unsafe nghttp2_session_del(session)
  }

  private static func session(_ userData: UnsafeMutableRawPointer?) -> HTTP2ClientSession {
    guard let userData = unsafe userData else { preconditionFailure("there is user data") }
    return unsafe Unmanaged<HTTP2ClientSession>.fromOpaque(userData).takeUnretainedValue()
  }

  private static func set(_ callbacks: OpaquePointer?) {
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, userData in
      unsafe HTTP2ClientSession.session(userData).headers = [:]
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, _, name, nameLength, value, valueLength, _, userData in
      let name = unsafe String(
        decoding: UnsafeBufferPointer(start: name, count: nameLength), as: UTF8.self)
      let value = unsafe String(
        decoding: UnsafeBufferPointer(start: value, count: valueLength), as: UTF8.self)
      unsafe HTTP2ClientSession.session(userData).headers[name] = value
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, _, streamID, bytes, count, userData in
      let bytes = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
      unsafe HTTP2ClientSession.session(userData).report(Int(streamID), .data(bytes))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
      _, frame, code, userData in
      // The error is the server's, and a test that expects something else fails.
      unsafe HTTP2ClientSession.session(userData)
        .report(frame.map { unsafe Int($0.pointee.hd.stream_id) } ?? 0, .reset(Int(code)))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
      unsafe HTTP2ClientSession.session(userData).received(frame)
      return 0
    }
  }

  private func received(_ frame: UnsafePointer<nghttp2_frame>?) {
    guard let frame = unsafe frame else { return }
    let header = unsafe frame.pointee.hd
    let id = Int(header.stream_id)
    switch nghttp2_frame_type(rawValue: UInt32(header.type)) {
    case NGHTTP2_HEADERS:
      let isLast = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
      report(id, .headers(headers, isLast: isLast))
    case NGHTTP2_RST_STREAM:
      report(id, .reset(Int(unsafe frame.pointee.rst_stream.error_code)))
    case NGHTTP2_GOAWAY: report(0, .reset(0))
    default: break
    }
  }

  // MARK: Input and output

  func receive(_ bytes: ByteBuffer) {
    _ = unsafe bytes.withUnsafeReadableBytes { bytes in
      unsafe nghttp2_session_mem_recv(
        session, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    }
  }

  /// Returns everything that may be sent now.
  func output() -> ByteBuffer {
    var output = ByteBuffer()
    while true {
      var start: UnsafePointer<UInt8>?
      let count = unsafe nghttp2_session_mem_send(session, &start)
      guard count > 0 else { return output }
      unsafe output.writeBytes(UnsafeRawBufferPointer(start: start, count: count))
    }
  }

  // MARK: Streams

  /// Opens a stream, and returns its id.
  func open(_ headers: [(String, String)], isLast: Bool) -> Int {
    var provider = unsafe nghttp2_data_provider(source: nghttp2_data_source()) {
      _, streamID, buffer, limit, flags, _, userData in
      unsafe HTTP2ClientSession.session(userData).takeData(
        streamID, UnsafeMutableRawBufferPointer(start: buffer, count: limit), flags)
    }
    let list = HTTP2HeaderList(headers.map { (name: $0.0, value: $0.1) })
    let id = unsafe list.withFields { fields, count in
      unsafe withUnsafePointer(to: &provider) { provider in
        unsafe nghttp2_submit_request(
          session, nil, fields, count, isLast ? nil : provider, nil)
      }
    }
    if !isLast { bodies[id] = Body() }
    return Int(id)
  }

  func send(_ bytes: [UInt8], on id: Int, isLast: Bool) {
    bodies[Int32(id)]?.bytes.writeBytes(bytes)
    if isLast { bodies[Int32(id)]?.hasEnded = true }
    unsafe nghttp2_session_resume_data(session, Int32(id))
  }

  private func takeData(
    _ id: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ flags: UnsafeMutablePointer<UInt32>?
  ) -> Int {
    guard var body = bodies[id] else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    let count = min(buffer.count, body.bytes.readableBytes)
    guard count > 0 || body.hasEnded else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    unsafe buffer.copyBytes(from: body.bytes.readBytes(length: count) ?? [])
    if body.hasEnded, body.bytes.readableBytes == 0 {
      unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
    }
    bodies[id] = body
    return count
  }

  func reset(_ id: Int) {
    unsafe nghttp2_submit_rst_stream(session, 0, Int32(id), NGHTTP2_CANCEL.rawValue)
  }

  func grant(_ count: Int, on id: Int) {
    unsafe nghttp2_submit_window_update(session, 0, Int32(id), Int32(count))
  }
}
