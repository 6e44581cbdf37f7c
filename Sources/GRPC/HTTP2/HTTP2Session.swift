internal import CNghttp2
internal import NIOCore

/// The server's side of an HTTP/2 connection, without I/O: libnghttp2's session.
///
/// It turns received bytes into events, and what is submitted into bytes to send. libnghttp2 knows
/// the protocol's states, windows and header tables, resets the streams of invalid frames, and ends
/// the session after an error of the connection.
///
/// This type and its callbacks contain all of the module's calls of libnghttp2. A session is used
/// on one thread, and no function of it that receives or sends is called from an event.
@safe final class HTTP2Session {
  private let session: OpaquePointer
  /// The receiver of events, while the session receives or sends.
  private var events: (any HTTP2SessionEvents)?
  private var output = ByteBuffer()
  private var outputLimit = 0
  /// The error that has ended the session, once its GOAWAY frame is sent or after ``end(_:_:)``.
  private(set) var failure: String?

  /// Creates a session, which has settings to send.
  init(_ configuration: Configuration) {
    var option: OpaquePointer?
    precondition(unsafe nghttp2_option_new(&option) == 0, "out of memory")
    defer { unsafe nghttp2_option_del(option) }
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    // The receiver of events checks the headers; see `HTTP2RequestRules`.
    unsafe nghttp2_option_set_no_http_messaging(option, 1)
    // The connection's own limit counts them, together with other errors of streams.
    unsafe nghttp2_option_set_stream_reset_rate_limit(option, .max, .max)
    let callbacks = unsafe Self.makeCallbacks()
    defer { unsafe nghttp2_session_callbacks_del(callbacks) }
    var session: OpaquePointer?
    guard unsafe nghttp2_session_server_new2(&session, callbacks, nil, option) == 0,
      let session = unsafe session
    else { preconditionFailure("out of memory") }
    unsafe self.session = session
    unsafe nghttp2_session_set_user_data(
      session, UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque()))
    var settings = [
      (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, configuration.maxConcurrentStreams),
      (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, configuration.streamWindow),
      (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, configuration.maxHeaderListSize),
      // PRIORITY frames are then ignored, and cost nothing.
      (NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ].map {
      nghttp2_settings_entry(settings_id: Int32($0.rawValue), value: UInt32($1))
    }
    check(unsafe nghttp2_submit_settings(session, Self.noFlags, &settings, settings.count))
    // The window of the connection has no setting.
    check(
      unsafe nghttp2_session_set_local_window_size(
        session, Self.noFlags, 0, Int32(configuration.connectionWindow)))
  }

  deinit {
    unsafe nghttp2_session_del(session)
  }

  private static let noFlags = UInt8(NGHTTP2_FLAG_NONE.rawValue)

  /// Checks the result of a function that fails only for lack of memory or because a stream or the
  /// session has ended, in which case there is nothing to do.
  private func check(_ result: Int32) {
    precondition(result != NGHTTP2_ERR_NOMEM.rawValue, "out of memory")
  }

  // MARK: Input and output

  /// Receives bytes of the peer.
  ///
  /// After an error of the connection, the session ignores bytes, and has a GOAWAY frame to send.
  func receive(_ bytes: ByteBuffer, _ events: any HTTP2SessionEvents) {
    guard failure == nil else { return }
    self.events = events
    defer { self.events = nil }
    let result = unsafe bytes.withUnsafeReadableBytes { bytes in
      unsafe nghttp2_session_mem_recv(
        session, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    }
    guard result < 0 else { return }
    // Errors of the protocol have ended the session already; these are the others.
    switch nghttp2_error(rawValue: Int32(result)) {
    case NGHTTP2_ERR_NOMEM: preconditionFailure("out of memory")
    case NGHTTP2_ERR_FLOODED: end(.enhanceYourCalm, "too many frames to acknowledge")
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: end(.enhanceYourCalm, "too many CONTINUATION frames")
    default: end(.protocolError, "invalid preface")
    }
  }

  /// Returns the next bytes to send.
  ///
  /// - Parameter limit: The number of bytes from which the rest is left for later.
  /// - Returns: No bytes if there is nothing to send.
  func nextOutput(limit: Int, _ events: any HTTP2SessionEvents) -> ByteBuffer {
    self.events = events
    defer { self.events = nil }
    outputLimit = limit
    while output.readableBytes < limit {
      var start: UnsafePointer<UInt8>?
      let count = unsafe nghttp2_session_mem_send(session, &start)
      precondition(count != Int(NGHTTP2_ERR_NOMEM.rawValue), "out of memory")
      guard count > 0 else { break }
      unsafe output.writeBytes(UnsafeRawBufferPointer(start: start, count: count))
    }
    defer { output = ByteBuffer() }
    return output
  }

  /// A Boolean value that indicates whether the session has ended, after an error or without one.
  var isFinished: Bool {
    unsafe failure != nil
      || nghttp2_session_want_read(session) == 0
        && nghttp2_session_want_write(session) == 0
  }

  /// Ends the session with an error: it ignores the peer's bytes, and has a GOAWAY frame to send.
  ///
  /// It may be called from an event.
  func end(_ code: ErrorCode, _ reason: String) {
    guard failure == nil else { return }
    failure = reason
    submitGoAway(code, reason)
  }

  /// Refuses the streams that the peer opens from now on.
  func refuseStreams() {
    submitGoAway(.none, "")
  }

  private func submitGoAway(_ code: ErrorCode, _ reason: String) {
    let reason = Array(reason.utf8)
    check(
      unsafe nghttp2_submit_goaway(
        session, Self.noFlags, nghttp2_session_get_last_proc_stream_id(session), code.rawValue,
        reason, reason.count))
  }

  // MARK: Streams

  /// Sends the first headers of a stream.
  ///
  /// - Parameter endsStream: False if data follows, for which the receiver of events is asked.
  func respond(_ streamID: UInt32, _ headers: HTTP2HeaderList, endsStream: Bool) {
    check(
      unsafe headers.withFields { fields, count in
        guard !endsStream else {
          return unsafe nghttp2_submit_response(session, Int32(streamID), fields, count, nil)
        }
        var provider = unsafe nghttp2_data_provider(
          source: nghttp2_data_source(), read_callback: Self.readCallback)
        return unsafe nghttp2_submit_response(session, Int32(streamID), fields, count, &provider)
      })
  }

  /// Asks for the data of a stream that had none.
  func resume(_ streamID: UInt32) {
    check(unsafe nghttp2_session_resume_data(session, Int32(streamID)))
  }

  /// Lets the streams whose data has no end take turns with each other.
  ///
  /// By default, the data of a stream is sent before that of streams with a higher number.
  func share(_ streamID: UInt32) {
    var priority = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
    check(
      unsafe nghttp2_session_change_extpri_stream_priority(
        session, Int32(streamID), &priority, 1))
  }

  /// Resets a stream, and discards what it has to send.
  func reset(_ streamID: UInt32, _ code: ErrorCode) {
    check(
      unsafe nghttp2_submit_rst_stream(session, Self.noFlags, Int32(streamID), code.rawValue))
  }

  /// Lets the peer send more bytes on a stream and on the connection.
  func consume(_ count: Int, of streamID: UInt32) {
    check(unsafe nghttp2_session_consume(session, Int32(streamID), count))
  }

  /// Lets the peer send more bytes on the connection.
  func consume(_ count: Int) {
    check(unsafe nghttp2_session_consume_connection(session, count))
  }
}

// MARK: Callbacks

// Each gets the session as the user data. It lives while it calls libnghttp2, which calls them.
extension HTTP2Session {
  /// The receiver of the events of received bytes: none after an error.
  private var receiver: (any HTTP2SessionEvents)? { failure == nil ? events : nil }

  private static func session(_ userData: UnsafeMutableRawPointer?) -> HTTP2Session {
    guard let userData = unsafe userData else { preconditionFailure("there is user data") }
    return unsafe Unmanaged<HTTP2Session>.fromOpaque(userData).takeUnretainedValue()
  }

  private static func streamID(_ frame: UnsafePointer<nghttp2_frame>?) -> UInt32 {
    unsafe frame.map { unsafe UInt32($0.pointee.hd.stream_id) } ?? 0
  }

  /// Makes the callbacks of a session, which the session copies.
  ///
  /// They name the type: a C function cannot capture the implicit `Self`.
  private static func makeCallbacks() -> OpaquePointer {
    var new: OpaquePointer?
    guard unsafe nghttp2_session_callbacks_new(&new) == 0, let callbacks = unsafe new else {
      preconditionFailure("out of memory")
    }
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, userData in
      unsafe HTTP2Session.session(userData).receiver?.headersBegan()
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, _, name, nameLength, value, valueLength, _, userData in
      unsafe HTTP2Session.session(userData).receiver?.headerReceived(
        name: UnsafeRawBufferPointer(start: name, count: nameLength),
        value: UnsafeRawBufferPointer(start: value, count: valueLength))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, flags, streamID, bytes, count, userData in
      unsafe HTTP2Session.session(userData).receiver?.dataReceived(
        UInt32(streamID), UnsafeRawBufferPointer(start: bytes, count: count),
        endsStream: HTTP2Session.endsStream(flags))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
      unsafe HTTP2Session.session(userData).received(frame)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
      _, frame, _, userData in
      unsafe HTTP2Session.session(userData).receiver?.invalidFrameReceived(
        HTTP2Session.streamID(frame))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
      _, streamID, code, userData in
      unsafe HTTP2Session.session(userData).events?.streamClosed(
        UInt32(streamID), isReset: code != ErrorCode.none.rawValue)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, userData in
      unsafe HTTP2Session.session(userData).sent(frame)
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) {
      _, frame, _, userData in
      // A header list that is too long.
      if let frame = unsafe frame, unsafe frame.pointee.hd.type == NGHTTP2_HEADERS.rawValue {
        unsafe HTTP2Session.session(userData).reset(HTTP2Session.streamID(frame), .internalError)
      }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) {
      _, frame, header, count, _, userData in
      unsafe HTTP2Session.session(userData).moveData(
        HTTP2Session.streamID(frame),
        header: UnsafeRawBufferPointer(start: header, count: HTTP2Session.frameHeaderLength), count)
    }
    return unsafe callbacks
  }

  private static let frameHeaderLength = 9

  private static func endsStream(_ flags: UInt8) -> Bool {
    UInt32(flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
  }

  private func received(_ frame: UnsafePointer<nghttp2_frame>?) {
    guard let frame = unsafe frame else { return }
    let header = unsafe frame.pointee.hd
    let streamID = UInt32(header.stream_id)
    let isAcknowledgment = UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue != 0
    switch nghttp2_frame_type(rawValue: UInt32(header.type)) {
    case NGHTTP2_HEADERS:
      receiver?.headersEnded(
        streamID, isRequest: unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST,
        endsStream: Self.endsStream(header.flags))
    case NGHTTP2_DATA:
      receiver?.dataEnded(
        streamID, isEmpty: unsafe header.length == frame.pointee.data.padlen,
        endsStream: Self.endsStream(header.flags))
    case NGHTTP2_SETTINGS where !isAcknowledgment: receiver?.controlFrameReceived(.settings)
    case NGHTTP2_PING where !isAcknowledgment: receiver?.controlFrameReceived(.ping)
    default: break
    }
  }

  private func sent(_ frame: UnsafePointer<nghttp2_frame>?) {
    guard let frame = unsafe frame else { return }
    let header = unsafe frame.pointee.hd
    switch nghttp2_frame_type(rawValue: UInt32(header.type)) {
    case NGHTTP2_HEADERS:
      events?.headersSent()
      // The client need not send the rest of its request.
      if Self.endsStream(header.flags),
        unsafe nghttp2_session_get_stream_remote_close(session, header.stream_id) == 0
      {
        reset(UInt32(header.stream_id), .none)
      }
    case NGHTTP2_GOAWAY:
      let code = unsafe frame.pointee.goaway.error_code
      guard code != ErrorCode.none.rawValue else { return }
      let reason = unsafe UnsafeBufferPointer(
        start: frame.pointee.goaway.opaque_data, count: frame.pointee.goaway.opaque_data_len)
      let text = unsafe String(decoding: reason, as: UTF8.self)
      failure = unsafe failure ?? "\(String(cString: nghttp2_http2_strerror(code))) \(text)"
    default: break
    }
  }

  /// The source of the data of all streams.
  private static let readCallback: nghttp2_data_source_read_callback = {
    _, streamID, _, limit, flags, _, userData in
    let session = unsafe session(userData)
    guard let data = session.events?.nextData(UInt32(streamID), limit: limit) else {
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    if let trailers = data.trailers {
      unsafe flags?.pointee |=
        NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
      session.submit(trailers, of: streamID)
    }
    // The bytes are moved by the callback above.
    if data.count > 0 { unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
    return data.count
  }

  private func submit(_ trailers: HTTP2HeaderList, of streamID: Int32) {
    check(
      unsafe trailers.withFields { fields, count in
        unsafe nghttp2_submit_trailer(session, streamID, fields, count)
      })
  }

  private func moveData(
    _ streamID: UInt32, header: UnsafeRawBufferPointer, _ count: Int
  ) -> Int32 {
    unsafe output.writeBytes(header)
    events?.moveData(streamID, count, to: &output)
    return output.readableBytes < outputLimit ? 0 : NGHTTP2_ERR_PAUSE.rawValue
  }
}
