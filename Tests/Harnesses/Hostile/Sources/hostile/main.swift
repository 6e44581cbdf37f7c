internal import Foundation

// hostile attack ttrpc|grpc SOCKET
// hostile measure SOCKET SERVER-PROCESS ROUNDS USER…
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "attack" where arguments.count == 3:
  if arguments[1] == "grpc" { GRPCAttack(path: arguments[2]).run() }
  Attack(path: arguments[2]).run()
case "measure" where arguments.count >= 5:
  let measurement = Measurement(
    path: arguments[1], server: Int32(arguments[2]) ?? 0, users: Array(arguments[4...]))
  exit(try await measurement.run(rounds: Int(arguments[3]) ?? 0) ? 0 : 1)
default:
  exit(64)
}
