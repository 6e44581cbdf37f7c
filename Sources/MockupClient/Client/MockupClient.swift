public import TTRPC

/// A client of a mockupd server on this machine.
///
/// ```swift
/// let address = MockupClient.Address.unixSocket(path: "/run/mockupd/mockupd.sock")
/// try await MockupClient.withConnection(to: address) { client in
///   let outcome = try await client.credits.withReservation(for: user, credits: 3) { reservation in
///     let files = try await render(reservation.id)
///     return .commit(credits: files.count, files)
///   }
/// }
/// ```
///
/// Any number of tasks share one connection. The client connects at the first call, and reconnects
/// after the connection was lost. Idempotent calls that fail because the server is unavailable are
/// retried with the same ids, by the policy ``Configuration/retry``.
public struct MockupClient: Sendable {
  /// The address that a server listens on.
  public enum Address: Sendable, Hashable {
    /// The path of a Unix socket, at most 107 bytes.
    case unixSocket(path: String)
  }

  /// The settings of a client's calls and connection.
  public struct Configuration: Sendable {
    /// The time limit of a call, retries included; `nil` means no limit.
    public var timeout: Duration?
    /// The policy for retrying calls that fail because the server or its database is unavailable or
    /// overloaded.
    ///
    /// Only idempotent calls with a single response are retried. A call of
    /// ``Mockups/claim(worker:count:lease:wait:)`` is not.
    public var retry: RetryPolicy
    /// The metadata that is sent with each request.
    public var metadata: Metadata
    /// A Boolean value that indicates whether calls wait, up to ``timeout``, for a server that is
    /// unreachable.
    ///
    /// The default is `false`: a call fails if the client cannot connect.
    public var waitsForReady = false
    /// The settings of the connection.
    ///
    /// Its interceptors run around each attempt of a call.
    public var connection = ClientConfiguration()

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - timeout: The time limit of a call, retries included; `nil` means no limit.
    ///   - retry: The policy for retrying idempotent calls.
    ///   - metadata: The metadata that is sent with each request.
    public init(
      timeout: Duration? = .seconds(30), retry: RetryPolicy = RetryPolicy(),
      metadata: Metadata = Metadata()
    ) {
      self.timeout = timeout
      self.retry = retry
      self.metadata = metadata
    }

    fileprivate var client: ClientConfiguration {
      var client = connection
      client.interceptors.insert(Retrying(retry), at: 0)
      return client
    }
  }

  /// The calls that reserve, commit and report credits.
  public let credits: Credits
  /// The calls that generate, list, review and watch mockups.
  public let mockups: Mockups
  /// The calls that record pins and impressions of mockups.
  public let performance: Performance
  /// The calls that read and change scene templates.
  public let scenes: Scenes
  /// The calls for administrators.
  public let admin: Admin

  /// The calls that must end before the connection is closed.
  private let shielded: ShieldedCalls

  private init(_ client: Client, _ configuration: Configuration) {
    shielded = ShieldedCalls(retry: configuration.retry)
    let options = CallOptions(
      timeout: configuration.timeout, metadata: configuration.metadata,
      waitsForReady: configuration.waitsForReady)
    credits = Credits(
      stub: CreditServiceClient(client), options: options, shielded: shielded)
    mockups = Mockups(
      stub: MockupServiceClient(client), options: options, retry: configuration.retry,
      shielded: shielded)
    performance = Performance(
      stub: MockupServiceClient(client), options: options, retry: configuration.retry,
      shielded: shielded)
    scenes = Scenes(stub: SceneServiceClient(client), options: options)
    admin = Admin(
      stub: AdminServiceClient(client), options: options, retry: configuration.retry)
  }

  /// Runs a closure with a client, and closes the client's connection when the closure returns.
  ///
  /// Commits, releases and workers' reports that are still in flight are completed before the
  /// connection is closed.
  ///
  /// - Parameters:
  ///   - address: The server's address. The client does not connect before the first call.
  ///   - configuration: The settings of calls and connection.
  ///   - body: The closure that uses the client.
  /// - Returns: The closure's result.
  /// - Throws: Any error of the closure.
  public static func withConnection<Value>(
    to address: Address, configuration: Configuration = Configuration(),
    _ body: (MockupClient) async throws -> Value
  ) async throws -> Value {
    let client: Client
    switch address {
    case .unixSocket(let path):
      client = Client(path: path, configuration: configuration.client)
    }
    let mockupClient = MockupClient(client, configuration)
    let result: Result<Value, any Error>
    do { result = .success(try await body(mockupClient)) } catch { result = .failure(error) }
    await mockupClient.shielded.waitForAll()
    await client.close()
    return try result.get()
  }
}
