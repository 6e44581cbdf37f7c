import FoundationEssentials
import MockupSchema
import Postgres
import Testing

/// Checks the article on the initial schema against the code.
@Suite struct InitialSchemaArticleTests {
  /// Returns the cells of each table row in the article, without the header rows.
  private func rows() throws -> [[String]] {
    try Checkout.text(of: "Sources/MockupDatabase/MockupDatabase.docc/InitialSchema.md")
      .split(separator: "\n")
      .filter { $0.hasPrefix("| ") && !$0.hasSuffix("| test |") }
      .map { line in
        line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
          .map { $0.trimmingPrefix(while: \.isWhitespace) }
          .map { String($0.reversed().drop(while: \.isWhitespace).reversed()) }
      }
  }

  /// Returns the parts of a text in backquotes.
  private func quoted(in text: String) -> [String] {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
  }

  @Test func `no cell is empty`() throws {
    for row in try rows() {
      #expect(row.count >= 3)
      for cell in row { #expect(!cell.isEmpty, "\(row)") }
    }
  }

  @Test func `no item is missing`() throws {
    let rows = try rows()
    let items = Set(rows.compactMap { quoted(in: $0[0]).first })
    for (table, columns) in InitialSchema.columns {
      #expect(items.contains(table))
      for column in columns {
        let name = column.prefix { $0 != " " }
        #expect(items.contains("\(table).\(name)"))
      }
    }
    for index in InitialSchema.indexes {
      let name = index.split(separator: " ").first { $0.hasPrefix("idx_") }
      #expect(items.contains(String(name ?? "none")), "\(index)")
    }
    for policy in InitialSchema.policies {
      #expect(items.contains(String(policy.prefix { $0 != " " })), "\(policy)")
    }
    for function in InitialSchema.functions(yearOf: "") {
      #expect(items.contains(String(function.prefix { $0 != " " })), "\(function)")
    }
    for scene in InitialSchema.scenes {
      #expect(items.contains(String(scene.prefix { $0 != "|" })), "\(scene)")
    }
    for type in InitialTypes.all.keys { #expect(items.contains(type)) }
    #expect(items.contains("mockups_updated_at"))
    // The primary keys share one row, which is not counted here.
    let foreign = InitialSchema.constraints.filter { $0.contains("FOREIGN KEY") }
    #expect(rows.filter { $0[0].contains("→") }.count == foreign.count)
    #expect(rows.filter { $0[0].hasPrefix("the check of") }.count == 1)
  }

  @Test func `every migration is listed in the schema article`() throws {
    let article = try Checkout.text(of: "Sources/MockupDatabase/MockupDatabase.docc/Schema.md")
    for migration in Schema.migrations {
      let number = String(1000 + migration.version).dropFirst()
      #expect(article.contains("| `\(number)_\(migration.name).sql` |"))
    }
    for area in Set(Schema.functions.migrations.map { $0.name.prefix { $0 != "/" } }) {
      #expect(article.contains("| `\(area)` |"))
    }
  }

  @Test func `every named file exists`() throws {
    let files = Set(
      try Checkout.files(below: ["Sources", "Tests/MockupDatabaseTests", "proto"])
        .map { String($0.split(separator: "/").last ?? "") })
    let article = try Checkout.text(
      of: "Sources/MockupDatabase/MockupDatabase.docc/InitialSchema.md")
    let named = quoted(in: article).filter { name in
      [".sql", ".swift", ".proto"].contains { name.hasSuffix($0) }
    }
    #expect(named.count > 80)
    for name in Set(named) { #expect(files.contains(name), "\(name)") }
  }

  @Test func `every named test exists`() throws {
    var suites: [String: String] = [:]
    for file in try Checkout.files(below: ["Tests/MockupDatabaseTests"])
    where file.hasSuffix(".swift") {
      let text = try Checkout.text(of: file)
      for match in text.matches(of: /@Suite struct (\w+)/) { suites[String(match.1)] = text }
    }
    for row in try rows() {
      let tests = quoted(in: row.last ?? "")
      #expect(!tests.isEmpty, "\(row)")
      for test in tests {
        let parts = test.split(separator: "/")
        let name = parts.last?.prefix { $0 != "(" } ?? ""
        let suite = suites[String(parts.first ?? "")] ?? ""
        #expect(!name.isEmpty && suite.contains("func `\(name)`("), "\(test)")
      }
    }
  }
}
