internal import ArgumentParser
internal import StandardStreams

struct Completions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a completion script for a shell.",
    discussion: """
      bash: source <(mockupctl completions bash), or write the output to \
      /usr/share/bash-completion/completions/mockupctl. zsh: write it to a file _mockupctl on the \
      fpath. fish: write it to ~/.config/fish/completions/mockupctl.fish.
      """)

  @Argument(help: "The shell.")
  var shell: Shell

  func run() async throws {
    try await StandardOutput.write(line: Mockupctl.completionScript(for: shell.value))
  }

  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash
    case zsh
    case fish

    var value: CompletionShell {
      switch self {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    }
  }
}
