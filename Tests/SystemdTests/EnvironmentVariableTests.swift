import Glibc
import Testing

@testable import Systemd

@Suite struct EnvironmentVariableTests {
  @Test func `a variable can be taken once`() {
    let name = "MOCKUPD_TEST_VARIABLE"
    unsafe setenv(name, "here", 1)
    #expect(EnvironmentVariable.take([name, "MOCKUPD_TEST_NONE"]) == [name: "here"])
    #expect(EnvironmentVariable.take([name]) == [:])
    #expect(unsafe getenv(name) == nil)
  }
}
