import Foundation
import Glibc
import TestSupport
import Testing

/// A mockup-console that a test has started, and that is ready.
struct RunningConsole: Sendable {
  let process: RunningProgram
  let address: HTTPExchange.Address
  /// The value of the header `Host` of browsers.
  let authority: String
  /// The link to sign in; `nil` with a proxy.
  let link: String?

  /// Runs a closure with a console, and stops it.
  ///
  /// - Parameters:
  ///   - arguments: Arguments in place of those that make it listen on a free port.
  ///   - socket: mockupd's socket.
  static func with<Value>(
    _ arguments: [String] = ["--listen", "127.0.0.1:0"], mockupd socket: String,
    _ body: (RunningConsole) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { folder in
      let process = try Program.console.start(
        arguments + ["--socket", socket], folder: folder)
      do {
        let value = try await body(try await ready(process, arguments))
        process.signal(SIGTERM)
        let ending = await process.ending()
        #expect(ending.exitCode == 0, "\(ending)")
        return value
      } catch {
        process.signal(SIGKILL)
        throw error
      }
    }
  }

  private static func ready(
    _ process: RunningProgram, _ arguments: [String]
  ) async throws -> RunningConsole {
    try await eventually("mockup-console is ready") {
      if process.output.hasSuffix("\n") { return true }
      if let ending = process.knownEnding {
        throw Program.Failure(description: "mockup-console did not start: \(ending)")
      }
      return false
    }
    let line = process.output.trimmingCharacters(in: .newlines)
    let link = try #require(line.split(separator: " ").last).description
    let url = try #require(URL(string: link))
    if let path = arguments.compactMap({ $0.hasPrefix("unix:") ? $0.dropFirst(5) : nil }).first {
      return RunningConsole(
        process: process, address: .unixSocket(String(path)), authority: url.host ?? "",
        link: link.contains("token=") ? link : nil)
    }
    let port = try #require(url.port)
    return RunningConsole(
      process: process, address: .port(port), authority: "127.0.0.1:\(port)", link: link)
  }

  /// Sends a request with the right host, and other fields.
  func send(
    _ method: String = "GET", _ target: String, fields: [(name: String, value: String)] = [],
    body: String? = nil
  ) async throws -> HTTPExchange.Response {
    try await HTTPExchange.send(
      method, target, to: address, fields: [("Host", authority)] + fields, body: body)
  }

  /// The path and the query of the link to sign in.
  func signInTarget() throws -> String {
    let link = try #require(link)
    return try String(link[#require(link.range(of: "/sign-in")).lowerBound...])
  }

  /// Signs in with the link, and returns the field with the session's cookie.
  func signIn() async throws -> (name: String, value: String) {
    let response = try await send("GET", try signInTarget())
    let cookie = try #require(response["set-cookie"], "\(response)")
    return ("Cookie", String(cookie.prefix { $0 != ";" }))
  }
}
