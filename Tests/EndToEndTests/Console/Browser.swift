import Foundation
import Glibc
import TestSupport
import Testing

/// A Chromium without a window, driven by chromedriver (WebDriver).
struct Browser: Sendable {
  /// The screen and the colours.
  enum Variant: String, CaseIterable, Sendable {
    case light, dark, phone
    case darkPhone = "dark-phone"

    var isPhone: Bool { self == .phone || self == .darkPhone }
    var isDark: Bool { self == .dark || self == .darkPhone }
    var width: Int { isPhone ? 390 : 1280 }
    var height: Int { isPhone ? 844 : 860 }
  }

  private let driver: HTTPExchange.Address
  private let port: Int
  private let session: String

  /// Runs a closure with a new browser that has no cookies.
  ///
  /// - Throws: `Program.Failure` if Debian's packages chromium and chromium-driver are not
  ///   installed; `scripts/setup` installs them.
  static func with(_ body: (Browser) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let driver = URL(filePath: "/usr/bin/chromedriver")
      guard FileManager.default.isExecutableFile(atPath: driver.path) else {
        throw Program.Failure(description: "\(driver.path) is missing; run scripts/setup")
      }
      let process = try RunningProgram(
        driver, ["--port=0"], environment: ["HOME": folder], folder: URL(filePath: folder))
      defer { process.signal(SIGTERM) }
      try await eventually("chromedriver is ready") {
        if let ending = process.knownEnding {
          throw Program.Failure(description: "chromedriver did not start: \(ending)")
        }
        return process.output.contains("started successfully on port")
      }
      let port = try #require(
        process.output.firstMatch(of: /started successfully on port ([0-9]+)/)
          .flatMap { Int($0.1) })
      let browser = try await Browser(port: port, profile: "\(folder)/profile")
      do {
        try await body(browser)
        try await browser.end()
      } catch {
        try? await browser.end()
        throw error
      }
    }
  }

  private init(port: Int, profile: String) async throws {
    self.port = port
    driver = .port(port)
    let arguments = [
      "--headless=new", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=\(profile)",
      "--disable-dev-shm-usage",
    ]
    let options: [String: Any] = [
      // Chromium's sandbox refuses to run as root.
      "args": arguments + (getuid() == 0 ? ["--no-sandbox"] : [])
    ]
    let capabilities: [String: Any] = [
      "alwaysMatch": [
        "goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"],
      ]
    ]
    let value = try await Self.call(
      "POST", "/session", port: port, body: ["capabilities": capabilities])
    session = try #require((value as? [String: Any])?["sessionId"] as? String)
  }

  private func end() async throws {
    _ = try await Self.call("DELETE", "/session/\(session)", port: port, body: nil)
  }

  private static func call(
    _ method: String, _ path: String, port: Int, body: [String: Any]?
  ) async throws -> Any? {
    let data = try body.map { try JSONSerialization.data(withJSONObject: $0) }
    let response = try await HTTPExchange.send(
      method, path, to: .port(port),
      fields: [("Host", "localhost:\(port)"), ("Content-Type", "application/json")],
      body: data.map { String(decoding: $0, as: UTF8.self) })
    let object = try JSONSerialization.jsonObject(with: response.body) as? [String: Any]
    guard response.status == 200 else {
      throw Program.Failure(description: "\(method) \(path): \(response.text)")
    }
    return object?["value"]
  }

  @discardableResult
  private func call(_ path: String, _ body: [String: Any] = [:]) async throws -> Any? {
    try await Self.call("POST", "/session/\(session)\(path)", port: port, body: body)
  }

  private func command(_ name: String, _ parameters: [String: Any]) async throws -> Any? {
    try await call("/goog/cdp/execute", ["cmd": name, "params": parameters])
  }

  /// Sets the size of the screen and the preferred colours.
  func show(_ variant: Variant) async throws {
    _ = try await command(
      "Emulation.setDeviceMetricsOverride",
      [
        "width": variant.width, "height": variant.height, "deviceScaleFactor": 1,
        "mobile": variant.isPhone,
      ])
    _ = try await command(
      "Emulation.setEmulatedMedia",
      [
        "features": [
          ["name": "prefers-color-scheme", "value": variant.isDark ? "dark" : "light"]
        ]
      ])
  }

  /// Opens an address, and waits until the page is loaded.
  func open(_ address: String) async throws {
    try await call("/url", ["url": address])
  }

  /// Runs a script in the page, and returns its result.
  func run(_ script: String) async throws -> Any? {
    try await call("/execute/sync", ["script": script, "args": [String]()])
  }

  /// Clicks the first element that a selector matches.
  func click(_ selector: String) async throws {
    try await call("/element/\(try await element(selector))/click")
  }

  /// Types into the first element that a selector matches.
  func type(_ text: String, into selector: String) async throws {
    try await call("/element/\(try await element(selector))/value", ["text": text])
  }

  private func element(_ selector: String) async throws -> String {
    let value = try await call("/element", ["using": "css selector", "value": selector])
    return try #require((value as? [String: String])?.values.first, "\(selector)")
  }

  /// Returns the messages of the browser's console since the last call.
  func messages() async throws -> [String] {
    let entries = try await call("/se/log", ["type": "browser"]) as? [[String: Any]]
    return entries?.compactMap { $0["message"] as? String } ?? []
  }

  /// Writes a picture of the whole page to a folder of the build, for people to look at.
  func saveScreenshot(_ name: String) async throws {
    let metrics = try await command("Page.getLayoutMetrics", [:]) as? [String: Any]
    let size = try #require(metrics?["cssContentSize"] as? [String: Any])
    let shot = try await command(
      "Page.captureScreenshot",
      [
        "format": "png", "captureBeyondViewport": true,
        "clip": [
          "x": 0, "y": 0, "width": size["width"] ?? 0,
          "height": min((size["height"] as? Double) ?? 0, 8000), "scale": 1,
        ],
      ])
    let text = try #require((shot as? [String: String])?["data"])
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    try #require(Data(base64Encoded: text)).write(to: Self.folder.appending(path: "\(name).png"))
  }

  /// `.build/artefacts/console`.
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../.build/artefacts/console").standardizedFileURL
}
