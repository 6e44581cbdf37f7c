import TestSupport
import Testing

@testable import Postgres

@Suite struct ConfigurationTests {
  @Test(
    arguments: [
      "postgresql://user:ses%ZZame@host/db", "password=sesame nonsense",
      "host=/tmp password='sesame", "nonsense=sesame", "postgresql://user:sesame@[::1/db",
      "sesame", "postgresql:///db\0sesame",
    ])
  func `a malformed URL is refused without revealing its secrets`(_ url: String) throws {
    let configuration = PostgresConfiguration(url: url, applicationName: "test")
    let error = #expect(throws: PostgresError.self) {
      _ = try Connection(configuration: configuration)
    }
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.description == "the database URL is malformed")
    #expect(error.map { "\($0.debugDescription)".contains("same") } == false)
  }

  @Test func `limits that leave no capacity are refused`() throws {
    let changes: [@Sendable (inout PostgresConfiguration) -> Void] = [
      { $0.maximumPending = 0 }, { $0.maximumInFlight = 0 }, { $0.connectionCount = 0 },
      { $0.connectTimeout = .zero }, { $0.maximumBackoff = .milliseconds(1) },
    ]
    for change in changes {
      var configuration = PostgresConfiguration(url: "postgresql:///db", applicationName: "test")
      change(&configuration)
      let error = #expect(throws: PostgresError.self) {
        _ = try Connection(configuration: configuration)
      }
      #expect(error?.code == .invalidConfiguration)
    }
  }

  @Test func `the startup packet has only the options that the URL contains`() throws {
    var configuration = PostgresConfiguration(
      url: "postgresql:///db?options=-c%20work_mem%3D1MB&tcp_user_timeout=7",
      applicationName: "a test"
    )
    configuration.statementTimeout = .seconds(2)
    let values = try configuration.connectionString().values
    #expect(values["options"] == "-c work_mem=1MB")
    configuration.url = "postgresql:///db"
    #expect(try configuration.connectionString().values["options"] == nil)
    #expect(values["application_name"] == "a test")
    #expect(values["tcp_user_timeout"] == "7")
  }

  @Test func `pauses double up to their maximum, and up to a half of each is random`() {
    var backoff = Backoff(minimum: .seconds(1), maximum: .seconds(5))
    #expect(backoff.failed(randomFraction: 0) == .seconds(0.5))
    #expect(backoff.failed(randomFraction: 1) == .seconds(2))
    #expect(backoff.failed(randomFraction: 0.5) == .seconds(3))
    #expect(backoff.failed(randomFraction: 1) == .seconds(5))
    for _ in 0..<100 { #expect(backoff.failed(randomFraction: 1) == .seconds(5)) }
    backoff.succeeded()
    #expect(backoff.failed(randomFraction: 1) == .seconds(1))
  }
}
