import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What pg-copy shows on a terminal while it runs.
@Suite(
  "pg-copy on a terminal", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed")
)
struct PgCopyTerminalTests {
  private let scene: CopyFixture

  init() throws {
    scene = try CopyFixture()
    try scene.db.execute("UPDATE \(scene.name) SET name = repeat('y', 2000)")
    try scene.db.execute("VACUUM ANALYZE \(scene.name)")
  }

  private func start(
    _ more: [String], columns: Int, term: String = "xterm", _ what: String? = nil
  ) throws -> TerminalProgram {
    try TerminalProgram(
      scene.program, [scene.iri, what ?? scene.name] + scene.to(1) + more, columns: columns,
      term: term)
  }

  private static let endless = "SELECT generate_series(1, 1000000000), 'x'"

  /// The frames without what comes behind the last one.
  private func drawn(_ terminal: TerminalProgram) -> [String] {
    terminal.frames.dropFirst().dropLast().filter { !$0.isEmpty && !$0.contains("\n") }
  }

  @Test(
    "a bar fits the terminal, is drawn again, and leaves nothing", arguments: [200, 80, 40, 12])
  func bar(columns: Int) throws {
    let terminal = try start(["--rate", "2MB/s"], columns: columns)
    #expect(try terminal.waitForEnd() == .exit(0), "\(terminal.text)")
    let frames = drawn(terminal)
    #expect(frames.count >= 4)
    for frame in frames { #expect(frame.utf8.count < columns, "\(frame)") }
    #expect(frames.allSatisfy { $0.contains("about ") && $0.contains(" %") })
    let shares = frames.compactMap { frame in
      frame.firstMatch(of: /about ([0-9]+) %/).flatMap { Int($0.1) }
    }
    #expect(shares == shares.sorted() && Set(shares).count > 2, "\(shares)")
    if columns >= 80 {
      #expect(
        frames[1].contains(/^\[#*\.+\] about [0-9]+ %, [0-9]+ rows, [0-9.]+ MB, [0-9.]+ MB\/s/))
      #expect(frames[1].contains(" left"))
    }
    // The summary stands where the bar was, and nothing behind it.
    let last = try #require(terminal.frames.last)
    #expect(last.hasPrefix("pg-copy: 1000 rows, "))
    #expect(last.hasSuffix("committed\n"))
    #expect(try scene.rows(1) == 1000)
  }

  @Test("a bar follows the terminal's width")
  func resized() throws {
    let terminal = try start(["--rate", "500kB/s"], columns: 120)
    try terminal.waitForFrames(3)
    #expect(drawn(terminal).contains { $0.utf8.count > 60 })
    terminal.resize(30)
    let before = terminal.frames.count
    try terminal.waitForFrames(before + 3)
    for frame in terminal.frames.dropFirst(before + 1) {
      #expect(frame.utf8.count < 30, "\(frame)")
    }
    terminal.signal(SIGTERM)
    #expect(try terminal.waitForEnd() == .signal(SIGTERM))
  }

  @Test("a terminal that is stopped holds up no rows")
  func stopped() throws {
    let terminal = try start(["--rate", "1MB/s"], columns: 80)
    try terminal.waitForFrames(2)
    terminal.setStopped(true)
    for _ in 0..<6000 where try scene.rows(1) == 0 { usleep(10_000) }
    #expect(try scene.rows(1) == 1000)
    terminal.setStopped(false)
    #expect(try terminal.waitForEnd() == .exit(0))
    #expect(terminal.text.hasSuffix("committed\n"))
  }

  @Test("a message takes the bar's place, and the bar comes again below it")
  func message() throws {
    try scene.db.execute("INSERT INTO \(scene.name)_2 VALUES (1, 'in the way')")
    let terminal = try start(scene.to(2) + ["--rate", "1MB/s"], columns: 100)
    #expect(try terminal.waitForEnd() == .exit(5))
    let text = terminal.text
    #expect(text.contains(TerminalProgram.erasing + "pg-copy: receiver 2 ("), "\(text)")
    #expect(text.contains("23505"))
    #expect(text.hasSuffix("nothing stored\n"))
    #expect(!text.contains(#/%[^\x1B]*pg-copy: /#), "a message stands behind a bar: \(text)")
  }

  @Test("SIGUSR1 prints a line of its own; a signal takes the bar away")
  func signals() throws {
    let terminal = try start([], columns: 100, Self.endless)
    try terminal.waitForFrames(2)
    terminal.signal(SIGUSR1)
    try terminal.wait(for: "the status") { $0.contains("\u{1B}[Kpg-copy: copying: ") }
    #expect(terminal.text.contains(#/ MB/s[^\n]* \(job copy, run [0-9a-f]+\)\n/#))
    try terminal.waitForFrames(terminal.frames.count)
    terminal.signal(SIGINT)
    #expect(try terminal.waitForEnd() == .signal(SIGINT))
    #expect(terminal.frames.last == "pg-copy: interrupted; nothing was committed\n")
  }

  @Test("the end by a second signal takes the bar away as well")
  func secondSignal() throws {
    let name = scene.name
    try scene.db.execute(
      """
      CREATE FUNCTION \(name)_f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;
      END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(name)_1 FOR EACH ROW EXECUTE FUNCTION \(name)_f()
      """)
    let terminal = try start([], columns: 100, Self.endless)
    let process = try scene.wait(for: "COPY \"\(name)_1\"%", in: "PgSleep")
    try terminal.waitForFrames(2)
    terminal.signal(SIGINT)
    usleep(500_000)
    terminal.signal(SIGINT)
    #expect(try terminal.waitForEnd() == .signal(SIGINT))
    let last = try #require(terminal.frames.last)
    #expect(last.isEmpty || last.hasSuffix("\n"), "\(last)")
    try scene.terminate(process)
  }

  @Test(
    "no bar where the terminal cannot show one, or nobody wants it",
    arguments: [(["--quiet"], "xterm"), ([], "dumb"), (["--progress", "100ms"], "xterm")])
  func noBar(more: [String], term: String) throws {
    let terminal = try start(["--rate", "2MB/s"] + more, columns: 80, term: term)
    #expect(try terminal.waitForEnd() == .exit(0))
    #expect(!terminal.text.contains("\u{1B}"), "\(terminal.text)")
    #expect(more != ["--quiet"] || terminal.text.isEmpty)
    guard more.first == "--progress" else { return }
    let lines = terminal.text.split(separator: "\n").filter { $0.hasPrefix("{") }
    #expect(lines.count >= 3)
    for line in lines {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(object["event"] as? String == "progress")
      // Before the source has answered, nothing is known of it.
      if object["state"] as? String == "connecting" { continue }
      // The last one may find it at its end.
      let states = line == lines.last ? ["copying", "committing"] : ["copying"]
      #expect(states.contains(object["state"] as? String ?? ""), "\(line)")
      #expect(object["estimated_rows"] as? Int == 1000)
      #expect(object["rows"] is Int && object["bytes"] is Int && object["seconds"] is Double)
      #expect(object["snapshot_seconds"] is Double)
    }
  }
}
