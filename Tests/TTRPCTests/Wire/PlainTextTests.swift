import NIOCore
import Testing

@testable import TTRPC

@Suite struct PlainTextTests {
  @Test(arguments: [
    ("read(descriptor:pointer:size:)", "read: Connection reset by peer"),
    ("getsockopt(SO_PEERCRED)", "getsockopt: Connection reset by peer"),
    ("pipe2", "pipe2: Connection reset by peer"),
    ("connection reset (error set)", "Connection reset by peer"),
    ("", "Connection reset by peer"),
  ])
  func `an error of a socket is the system call and the system's text`(
    _ reason: String, _ text: String
  ) {
    #expect(plainText(of: IOError(errnoCode: 104, reason: reason)) == text)
  }
}
