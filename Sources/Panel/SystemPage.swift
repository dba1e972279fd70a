// What a system that consists of the panel uses, and its end. Only where the panel is the first
// process: elsewhere the page does not exist.

import Martlet

extension Panel {
  /// Shows the page, or switches off.
  func systemPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard Boot.isFirstProcess else {
      return response.refuse(.notFound, "There is no such page here.")
    }
    guard request.method == .post else {
      return Self.systemPage(response, .ok, user: request.user, problem: nil)
    }
    guard request.form.has("confirm") else {
      return Self.systemPage(
        response, .unprocessableContent, user: request.user, problem: "Tick the box first.")
    }
    // The answer is still sent: a stop waits for what is under way.
    Boot.powerOff()
    return Self.poweringOff(response)
  }

  private static func systemPage(
    _ response: consuming Response<Panel>, _ status: Status, user: Account?, problem: StaticString?
  ) -> Answer {
    var body = response.body(status)
    body.begin(title: "System", .system, user: user)
    body.write("<div class=\"title\"><h1>System</h1></div>\n")
    body.writeUse(MemoryUse())
    body.write(
      """
      <section class="card">
      <h2>Power off</h2>
      <p>This device then answers nobody until somebody switches it on again. Accounts are kept in \
      memory: it is then set up anew.</p>

      """)
    body.writeProblem(problem)
    body.write(
      """
      <form method="post" class="fields">
      <label class="check"><input name="confirm" type="checkbox" required> \
      Yes, power this device off</label>
      <div><button type="submit">Power off</button></div>
      </form>
      </section>

      """)
    return body.finish()
  }

  private static func poweringOff(_ response: consuming Response<Panel>) -> Answer {
    var body = response.body()
    body.begin(title: "System", .door)
    body.write(
      """
      <section class="card">
      <h1>Powering off</h1>
      <p class="lead" role="status">This device switches itself off now.</p>
      </section>

      """)
    return body.finish()
  }
}

/// What user space takes of the memory, in kibibytes: all that is not the kernel's.
struct MemoryUse {
  /// What programs have written: data, stack.
  let anonymous: UInt64
  /// Pages of files: the panel's own code, modules, accounts. They are mapped where they lie.
  let files: UInt64
  let pageTables: UInt64
  /// What of all this is the panel's, shared or not.
  let resident: UInt64

  /// Reads /proc.
  init() {
    let text: StaticString = "/proc/meminfo"
    anonymous = Self.read(text, "AnonPages:")
    files = Self.read(text, "Cached:") + Self.read(text, "Buffers:")
    pageTables = Self.read(text, "PageTables:")
    // Counted page by page; what /proc/self/status tells is some pages behind.
    resident = Self.read("/proc/self/smaps_rollup", "Rss:")
  }

  /// All of it.
  var sum: UInt64 { anonymous + files + pageTables }

  private static func read(_ path: StaticString, _ name: StaticString) -> UInt64 {
    do throws(SystemError) {
      return try System.read(path.octets) { ProcText.kibibytes(name, in: $0) } ?? 0
    } catch {
      return 0
    }
  }
}

extension Body where Site == Panel {
  @_lifetime(self: copy self)
  fileprivate mutating func writeUse(_ use: MemoryUse) {
    write("<dl class=\"tiles\" id=\"use\" data-kib=\"\(use.sum)\">\n")
    writeTile("User space", use.sum)
    writeTile("Data and stack", use.anonymous)
    writeTile("Files in memory", use.files)
    writeTile("Page tables", use.pageTables)
    writeTile("Panel, resident", use.resident)
    write("</dl>\n")
  }

  @_lifetime(self: copy self)
  private mutating func writeTile(_ name: StaticString, _ kibibytes: UInt64) {
    write("<div><dt>\(name)</dt><dd>\(kibibytes) KiB</dd></div>\n")
  }
}
