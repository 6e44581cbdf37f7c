package import NIOCore

/// A protocol that a server speaks on its socket, besides ttrpc and HTTP/1.1.
///
/// The server picks it by the first bytes of a connection. The module `GRPC` has one.
public struct WireFormat: Sendable {
  /// The bytes with which each of its connections begins.
  let preface: [UInt8]
  /// Adds its handlers to a connection's channel, behind a handler.
  let install: @Sendable (ServerConnection, _ handler: any ChannelHandler) throws -> Void

  package init(
    preface: [UInt8],
    install: @escaping @Sendable (ServerConnection, _ handler: any ChannelHandler) throws -> Void
  ) {
    self.preface = preface
    self.install = install
  }
}
