internal import Dispatch
public import Foundation
internal import Glibc

/// A request of a test in HTTP/1.1, sent as the given bytes, and its response.
public enum HTTPExchange {
  /// The address of a server.
  public enum Address: Sendable {
    /// A port of 127.0.0.1.
    case port(Int)
    /// The path of a Unix socket.
    case unixSocket(String)
  }

  /// A response.
  public struct Response: Sendable, CustomStringConvertible {
    /// The number of the status.
    public let status: Int
    /// The fields of the head, by their names in lower case, in order.
    public let fields: [(name: String, value: String)]
    /// The body.
    public let body: Data

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The response for the message of a failed test.
    public var description: String { "\(status) \(fields)\n\(text)" }

    /// Returns the value of the first field with a name in lower case.
    public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
  }

  /// Sends a request on a connection of its own, and reads the response to the end.
  ///
  /// - Parameters:
  ///   - fields: The fields of the head, sent as they are. `Connection: close` and, with a body,
  ///     `Content-Length` are added.
  /// - Throws: `Program.Failure` if the server cannot be reached or its response is not HTTP.
  public static func send(
    _ method: String, _ target: String, to address: Address,
    fields: [(name: String, value: String)], body: String? = nil
  ) async throws -> Response {
    var head = "\(method) \(target) HTTP/1.1\r\n"
    for (name, value) in fields + [("Connection", "close")] { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
    let request = Array("\(head)\r\n\(body ?? "")".utf8)
    let bytes = try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(with: Result { try exchange(request, with: address) })
      }
    }
    return try Response(bytes)
  }

  private static func exchange(_ request: [UInt8], with address: Address) throws -> [UInt8] {
    let descriptor = try connected(to: address)
    defer { close(descriptor) }
    var rest = request[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      // The server may respond before it has read everything.
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    var response: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    // A server's child process may keep the connection open, so its end is not awaited if the
    // response states its length.
    while !isComplete(response) {
      let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      response += buffer.prefix(count)
    }
    return response
  }

  private static func isComplete(_ response: [UInt8]) -> Bool {
    guard let parsed = try? Response(response),
      let length = parsed["content-length"].flatMap({ Int($0) })
    else { return false }
    return parsed.body.count >= length
  }

  private static func connected(to address: Address) throws -> Int32 {
    let isUnix = if case .unixSocket = address { true } else { false }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(isUnix ? AF_UNIX : AF_INET, type, 0)
    let result: Int32
    switch address {
    case .port(let port):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
      result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    case .unixSocket(let path):
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
        unsafe bytes.copyBytes(from: path.utf8.prefix(107))
      }
      result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
    guard result == 0 else {
      let error = errno
      close(descriptor)
      throw Program.Failure(description: "cannot connect to \(address): error \(error)")
    }
    return descriptor
  }
}

extension HTTPExchange.Response {
  init(_ bytes: [UInt8]) throws {
    let end = Array("\r\n\r\n".utf8)
    guard let split = bytes.firstRange(of: end) else {
      throw Program.Failure(description: "no response: \(String(decoding: bytes, as: UTF8.self))")
    }
    let lines = String(decoding: bytes[..<split.lowerBound], as: UTF8.self)
      .components(separatedBy: "\r\n")
    let parts = lines[0].split(separator: " ")
    guard parts.count > 1, let status = Int(parts[1]) else {
      throw Program.Failure(description: "no status: \(lines[0])")
    }
    self.status = status
    fields = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      let value = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
      return (name: parts[0].lowercased(), value: value)
    }
    body = Data(bytes[split.upperBound...])
  }
}
