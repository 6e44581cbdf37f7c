internal import ArgumentParser

struct MockupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockups",
    abstract: "List, show, watch, review, regenerate or delete mockups, or make them as a worker.",
    subcommands: [
      ListMockups.self, ShowMockup.self, ApproveMockup.self, RejectMockup.self,
      RegenerateMockup.self, DeleteMockup.self, WatchMockups.self, ClaimMockups.self,
      HeartbeatMockup.self, CompleteMockup.self, FailMockup.self,
    ])
}
