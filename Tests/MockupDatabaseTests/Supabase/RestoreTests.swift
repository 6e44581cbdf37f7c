import Foundation
import Postgres
import TestSupport
import Testing

/// The commands of the article "Supabase" that back up a project and restore it into another.
@Suite struct RestoreTests {
  @Test func `a restored project has the same rights as the one that was backed up`() async throws {
    try await SupabaseProject.with { original in
      try await original.migrate()
      try await SupabaseProject.with { restored in
        try await withTemporaryFolder { folder in
          let script = try Self.script(
            backingUp: try original.database.configuration(as: SupabaseProject.migrator).url)
          let target = try restored.database.configuration(as: SupabaseProject.migrator).url
          let programs = Program.mockupd.executable.deletingLastPathComponent().path()
          let ending = try await RunningProgram(
            URL(filePath: "/bin/bash"), ["-euc", "cd '\(folder)'; \(script)"],
            environment: ["URL": target, "PATH": "\(programs):/usr/bin:/bin"],
            folder: URL(filePath: folder)
          ).ending()
          #expect(ending.exitCode == 0, "\(ending)")
          let rights = try await Self.rights(in: original)
          #expect(rights.count > 100)
          #expect(try await Self.rights(in: restored) == rights)
        }
      }
    }
  }

  /// Returns the article's commands for a project.
  private static func script(backingUp url: String) throws -> String {
    let article = try String(
      contentsOf: URL(filePath: #filePath)
        .deletingLastPathComponent().appending(
          path: "../../../Sources/mockupd/mockupd.docc/Supabase.md"),
      encoding: .utf8)
    let section = try #require(article.split(separator: "## Back up and restore").last)
    let blocks = section.split(separator: "```sh\n").dropFirst().prefix(2)
    try #require(blocks.count == 2)
    return blocks.map { String($0.split(separator: "```")[0]) }.joined()
      .replacing(#/"postgresql:.*?"/#) { _ in "\"\(url)\"" }
  }

  /// Returns the rights on all objects of the schemas `public` and `mockupd`, and the default
  /// privileges.
  private static func rights(in project: SupabaseProject) async throws -> [String] {
    try await project.database.withOwner { owner in
      try await owner.query(
        """
        WITH schemas AS (
          SELECT oid, nspname, nspacl FROM pg_namespace WHERE nspname IN ('public', 'mockupd')
        ), acls (object, acl) AS (
          SELECT 'schema ' || nspname, nspacl FROM schemas
          UNION ALL
          SELECT 'table ' || c.oid::regclass::text, coalesce(relacl, acldefault('r', relowner))
          FROM pg_class AS c JOIN schemas ON schemas.oid = relnamespace
          WHERE relkind IN ('r', 'v', 'm', 'p', 'S')
          UNION ALL
          SELECT 'column ' || attrelid::regclass || '.' || attname, attacl
          FROM pg_attribute
          JOIN pg_class AS c ON c.oid = attrelid JOIN schemas ON schemas.oid = relnamespace
          UNION ALL
          SELECT 'function ' || p.oid::regprocedure, coalesce(proacl, acldefault('f', proowner))
          FROM pg_proc AS p JOIN schemas ON schemas.oid = pronamespace
          UNION ALL
          SELECT concat_ws(' ', 'default', defaclobjtype, 'of', defaclrole::regrole), defaclacl
          FROM pg_default_acl
        )
        SELECT concat_ws(
          ' ', object, r.privilege_type, CASE WHEN r.is_grantable THEN 'grantable' END, 'to',
          CASE WHEN r.grantee = 0 THEN 'PUBLIC' ELSE r.grantee::regrole::text END)
        FROM acls CROSS JOIN LATERAL aclexplode(acl) AS r
        ORDER BY 1
        """
      ) { row throws(PostgresError) in try row.decode(String.self, at: 0) }
    }
  }
}
