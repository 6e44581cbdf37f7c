internal import ArgumentParser

struct LedgerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "Show, export or verify the ledger.",
    subcommands: [
      ShowLedger.self, ExportLedger.self, VerifyLedger.self,
    ],
    defaultSubcommand: ShowLedger.self)
}
