import CLibPQ

/// The owner of a `PGconn`, which is closed when the last reference is released.
///
/// No function blocks, except that the initializer may resolve a host name. Not `Sendable`: it is
/// used only on its connection's thread.
@safe final class LibpqConnection {
  /// The event to wait for while connecting.
  enum Progress {
    case reading
    case writing
    case connected
    case failed
  }

  private let handle: OpaquePointer
  // Retained here because libpq stores only its address.
  let notices: NoticeSink

  /// Starts to connect; returns nil if out of memory.
  init?(_ string: ConnectionString, notices: NoticeSink) {
    let settings = string.values.sorted { $0.key < $1.key }
    let keywords = CStrings(settings.map(\.key))
    let values = CStrings(settings.map(\.value))
    let started = unsafe withExtendedLifetime((keywords, values)) {
      unsafe PQconnectStartParams(keywords.pointers, values.pointers, 0)
    }
    guard let handle = unsafe started else { return nil }
    unsafe self.handle = handle
    self.notices = notices
    unsafe PQsetNoticeReceiver(handle, receiveNotice, Unmanaged.passUnretained(notices).toOpaque())
  }

  deinit {
    unsafe PQfinish(handle)
  }

  /// The socket to poll; nil if there is none.
  var socket: Int32? {
    let socket = unsafe PQsocket(handle)
    return socket >= 0 ? socket : nil
  }

  /// The message of libpq's last error.
  var errorMessage: String { unsafe String(cString: PQerrorMessage(handle)) }

  var isBroken: Bool { unsafe PQstatus(handle) == CONNECTION_BAD }

  /// True if no transaction is open and no statement is in flight.
  var isIdle: Bool { unsafe PQtransactionStatus(handle) == PQTRANS_IDLE }

  /// Continues the attempt to connect.
  func connect() -> Progress {
    switch unsafe PQconnectPoll(handle) {
    case PGRES_POLLING_READING: .reading
    case PGRES_POLLING_WRITING: .writing
    case PGRES_POLLING_OK: .connected
    default: .failed
    }
  }

  /// Enters nonblocking mode and pipeline mode; returns false on failure.
  func enterPipelineMode() -> Bool {
    unsafe PQsetnonblocking(handle, 1) == 0 && PQenterPipelineMode(handle) == 1
  }

  /// Leaves pipeline mode; returns false if statements are in flight.
  func exitPipelineMode() -> Bool { unsafe PQexitPipelineMode(handle) == 1 }

  /// Reads what the socket has received; returns false if the connection is broken.
  func consumeInput() -> Bool { unsafe PQconsumeInput(handle) == 1 }

  /// True if ``nextResult()`` would block.
  var isBusy: Bool { unsafe PQisBusy(handle) == 1 }

  /// Returns the next result, or nil at the end of a statement's results; call it unless
  /// ``isBusy``.
  func nextResult() -> LibpqResult? {
    guard let result = unsafe PQgetResult(handle) else { return nil }
    return unsafe LibpqResult(owning: result)
  }

  /// Returns the next notification that was received.
  func nextNotification() -> PostgresNotification? {
    guard let notification = unsafe PQnotifies(handle) else { return nil }
    defer { unsafe PQfreemem(notification) }
    return unsafe PostgresNotification(
      channel: String(cString: notification.pointee.relname),
      payload: String(cString: notification.pointee.extra))
  }

  /// Sends as much as the socket accepts; returns true if that was all, nil if the connection is
  /// broken.
  func flush() -> Bool? {
    switch unsafe PQflush(handle) {
    case 0: true
    case 1: false
    default: nil
    }
  }

  /// The process ID of the session, as the server reported it when it accepted the connection.
  var backendProcessID: Int32 { unsafe PQbackendPID(handle) }

  /// Creates a request that cancels what this session executes; returns nil if out of memory.
  func makeCancelRequest() -> CancelRequest? {
    guard let handle = unsafe PQgetCancel(handle) else { return nil }
    return unsafe CancelRequest(owning: handle)
  }
}

extension LibpqConnection {
  /// Queues the preparation of a statement; returns false if the connection is broken.
  func sendPrepare(name: String, sql: String, types: [PostgresType]) -> Bool {
    unsafe PQsendPrepare(handle, name, sql, Int32(types.count), types.map(\.oid)) == 1
  }

  /// Queues the execution of a prepared statement; returns false if the connection is broken.
  func sendExecute(name: String, _ parameters: Parameters) -> Bool {
    unsafe withWire(parameters) { count, values, lengths, formats in
      unsafe PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1) == 1
    }
  }

  /// Queues an unnamed statement; returns false if the connection is broken.
  func sendQuery(sql: String, _ parameters: Parameters) -> Bool {
    unsafe withWire(parameters) { count, values, lengths, formats in
      unsafe PQsendQueryParams(
        handle,
        sql,
        count,
        parameters.fields.map(\.type.oid),
        values,
        lengths,
        formats,
        1
      ) == 1
    }
  }

  /// Queues a sync, which ends the implicit transaction; returns false if the connection is broken.
  func sendSync() -> Bool { unsafe PQpipelineSync(handle) == 1 }

  /// Queues several statements in the simple protocol; requires that pipeline mode is off.
  func sendScript(_ sql: String) -> Bool { unsafe PQsendQuery(handle, sql) == 1 }

  private func withWire(
    _ parameters: Parameters,
    _ body: (
      Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
    ) -> Bool
  ) -> Bool {
    let fields = parameters.fields
    let lengths = fields.map { Int32($0.range?.count ?? 0) }
    let formats = [Int32](repeating: 1, count: fields.count)
    return unsafe parameters.bytes.withUnsafeBytes { bytes in
      let values = unsafe fields.map { field in
        unsafe field.range.flatMap { range in
          unsafe bytes.baseAddress.map { unsafe ($0 + range.lowerBound) }?
            .assumingMemoryBound(to: CChar.self)
        }
      }
      return unsafe body(Int32(fields.count), values, lengths, formats)
    }
  }
}

/// A request that cancels what a session executes; it does not need the session's connection.
// Sendable because libpq allows PQcancel on any thread, and the object is immutable.
@safe final class CancelRequest: @unchecked Sendable {
  private let handle: OpaquePointer

  @unsafe fileprivate init(owning handle: OpaquePointer) {
    unsafe self.handle = handle
  }

  deinit {
    unsafe PQfreeCancel(handle)
  }

  /// Sends the request over a connection of its own, and waits until the server has closed it.
  ///
  /// It blocks until the server answers, which is forever if the server process is stopped.
  func send() {
    var message = [CChar](repeating: 0, count: 256)
    _ = unsafe PQcancel(handle, &message, Int32(message.count))
  }
}

/// The null-terminated list of C strings in which libpq takes keywords; it owns the strings.
@safe private final class CStrings {
  private var storage: [UnsafePointer<CChar>?] = unsafe []

  /// The strings and a final null, valid for the lifetime of the list.
  @unsafe var pointers: [UnsafePointer<CChar>?] { unsafe storage }

  init(_ strings: [String]) {
    for string in strings {
      let text = string.utf8CString
      let bytes = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.count)
      _ = unsafe bytes.initialize(from: text)
      unsafe storage.append(UnsafePointer(bytes.baseAddress))
    }
    unsafe storage.append(nil)
  }

  deinit {
    while let pointer = unsafe storage.popLast() { unsafe pointer?.deallocate() }
  }
}

/// The receiver of a connection's notices, which libpq would otherwise print to standard error.
///
/// Not `Sendable`: libpq calls it in calls on the connection's thread.
final class NoticeSink {
  private let receive: @Sendable (PostgresNotice) -> Void
  private var hasReplicationWaitEnded = false

  init(_ receive: @escaping @Sendable (PostgresNotice) -> Void) {
    self.receive = receive
  }

  /// Returns true if the server has reported since the last call that it stopped waiting for the
  /// replication of a commit.
  func takeReplicationWaitEnded() -> Bool {
    defer { hasReplicationWaitEnded = false }
    return hasReplicationWaitEnded
  }

  fileprivate func receive(_ fields: ServerFields) {
    if fields.endsReplicationWait { hasReplicationWaitEnded = true }
    receive(PostgresNotice(fields))
  }
}

/// The notice receiver for libpq.
///
/// It is a global function because a closure might inherit an isolation that libpq does not
/// respect.
func receiveNotice(sink: UnsafeMutableRawPointer?, result: OpaquePointer?) {
  guard let sink = unsafe sink, let result = unsafe result,
    let fields = unsafe ServerFields(reading: result)
  else { return }
  unsafe Unmanaged<NoticeSink>.fromOpaque(sink).takeUnretainedValue().receive(fields)
}
