import CLibPQ

/// The owner of one `PGconn`: it is closed when the last reference goes. Nothing in here blocks,
/// except for resolving a host name.
///
/// Not `Sendable`: it is used on its connection's thread only.
@safe final class LibpqConnection {
  /// What is to be waited for while connecting.
  enum Progress {
    case reading
    case writing
    case connected
    case failed
  }

  private let handle: OpaquePointer
  // Held here because libpq only has its address.
  private let notices: NoticeSink

  /// Begins to connect. Nil if there is no memory.
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

  /// The socket to poll; nil when there is none.
  var socket: Int32? {
    let socket = unsafe PQsocket(handle)
    return socket >= 0 ? socket : nil
  }

  /// libpq's own words on what went wrong.
  var errorMessage: String { unsafe String(cString: PQerrorMessage(handle)) }

  var isBroken: Bool { unsafe PQstatus(handle) == CONNECTION_BAD }

  /// Whether no transaction is open and nothing is under way.
  var isIdle: Bool { unsafe PQtransactionStatus(handle) == PQTRANS_IDLE }

  /// Takes the next step of connecting.
  func connect() -> Progress {
    switch unsafe PQconnectPoll(handle) {
    case PGRES_POLLING_READING: .reading
    case PGRES_POLLING_WRITING: .writing
    case PGRES_POLLING_OK: .connected
    default: .failed
    }
  }

  /// Makes sending never wait, and enters pipeline mode.
  func enterPipelineMode() -> Bool {
    unsafe PQsetnonblocking(handle, 1) == 0 && PQenterPipelineMode(handle) == 1
  }

  /// Leaves pipeline mode; false if something is under way.
  func exitPipelineMode() -> Bool { unsafe PQexitPipelineMode(handle) == 1 }

  /// Takes in what the socket has; false if the connection is broken.
  func consumeInput() -> Bool { unsafe PQconsumeInput(handle) == 1 }

  /// Whether ``nextResult()`` would wait.
  var isBusy: Bool { unsafe PQisBusy(handle) == 1 }

  /// The next result; nil at the end of one statement's results. Only if not ``isBusy``.
  func nextResult() -> LibpqResult? {
    guard let result = unsafe PQgetResult(handle) else { return nil }
    return unsafe LibpqResult(owning: result)
  }

  /// The next notification of those that have come in.
  func nextNotification() -> PostgresNotification? {
    guard let notification = unsafe PQnotifies(handle) else { return nil }
    defer { unsafe PQfreemem(notification) }
    return unsafe PostgresNotification(
      channel: String(cString: notification.pointee.relname),
      payload: String(cString: notification.pointee.extra))
  }

  /// Sends as much as the socket takes; nil if the connection is broken, else whether it is all.
  func flush() -> Bool? {
    switch unsafe PQflush(handle) {
    case 0: true
    case 1: false
    default: nil
    }
  }

  /// The process of the session, as the server named it when it accepted the connection.
  var backendProcessID: Int32 { unsafe PQbackendPID(handle) }

  /// A request to cancel what the server executes for this session; nil without memory.
  func makeCancelRequest() -> CancelRequest? {
    guard let handle = unsafe PQgetCancel(handle) else { return nil }
    return unsafe CancelRequest(owning: handle)
  }
}

extension LibpqConnection {
  /// Queues the preparation of a statement; false if the connection is broken.
  func sendPrepare(name: String, sql: String, types: [PostgresType]) -> Bool {
    unsafe PQsendPrepare(handle, name, sql, Int32(types.count), types.map(\.oid)) == 1
  }

  /// Queues the execution of a prepared statement; false if the connection is broken.
  func sendExecute(name: String, _ parameters: Parameters) -> Bool {
    unsafe withWire(parameters) { count, values, lengths, formats in
      unsafe PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1) == 1
    }
  }

  /// Queues a statement that is not prepared; false if the connection is broken.
  func sendQuery(sql: String, types: [PostgresType], _ parameters: Parameters) -> Bool {
    unsafe withWire(parameters) { count, values, lengths, formats in
      unsafe PQsendQueryParams(
        handle,
        sql,
        count,
        types.map(\.oid),
        values,
        lengths,
        formats,
        1
      ) == 1
    }
  }

  /// Queues the end of a transaction and of an error's reach; false if the connection is broken.
  func sendSync() -> Bool { unsafe PQpipelineSync(handle) == 1 }

  /// Queues several statements by the simple protocol; not in pipeline mode.
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

/// A request to cancel what a session executes, independent of the session's connection.
// Sendable because libpq allows PQcancel on any thread, and the object is never changed.
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
  /// It blocks for as long as the server does not answer: for ever if the server is stopped.
  func send() {
    var message = [CChar](repeating: 0, count: 256)
    _ = unsafe PQcancel(handle, &message, Int32(message.count))
  }
}

/// C strings in a null-terminated list, as libpq takes keywords; freed with it.
@safe private final class CStrings {
  private var storage: [UnsafePointer<CChar>?] = unsafe []

  /// Valid as long as the list is.
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
