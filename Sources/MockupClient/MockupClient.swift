public import TTRPC

/// The way to a mockupd on this machine.
///
/// ```swift
/// try await MockupClient.withConnection(to: .unixSocket(path: "/run/mockupd/mockupd.sock")) { client in
///   let outcome = try await client.credits.withReservation(for: user, credits: 3) { reservation in
///     let files = try await render(reservation.id)
///     return .commit(credits: files.count, files)
///   }
/// }
/// ```
///
/// One connection serves any number of tasks. It is made when first needed, and again when it was
/// lost; a call that meets a server that is away is sent again, under the same ids, as
/// ``Configuration/retry`` says.
public struct MockupClient: Sendable {
  /// Where a server listens.
  public enum Address: Sendable, Hashable {
    /// A socket file.
    case unixSocket(path: String)
  }

  /// How calls are made.
  public struct Configuration: Sendable {
    /// How long a call may take, its retries included; `nil`: without end.
    public var timeout: Duration?
    /// How a call that met a server or a database that is away is sent again. All calls carry the ids
    /// that make a second arrival harmless.
    public var retry: RetryPolicy
    /// What travels beside each request.
    public var metadata: Metadata
    /// Whether calls wait for a server that cannot be reached, as long as ``timeout`` allows.
    public var waitsForReady = false
    /// How the connection is kept. Its interceptors run around each attempt of a call.
    public var connection = ClientConfiguration()

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

  /// The books of credits.
  public let credits: Credits
  /// The mockups that they are spent on.
  public let mockups: Mockups
  /// Pins and impressions of mockups.
  public let performance: Performance
  /// The scenes that artworks are placed in.
  public let scenes: Scenes
  /// For those who look after the books.
  public let admin: Admin

  /// The calls that have to reach the server before the connection is closed.
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
    admin = Admin(stub: AdminServiceClient(client), options: options)
  }

  /// Runs a closure with a client, and closes its connection after it.
  ///
  /// Commits, releases and reports that are still in flight then reach the server first.
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
