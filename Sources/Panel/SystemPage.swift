// What a system that consists of the panel uses, and its end. Only where the panel is the first
// process: elsewhere the page does not exist.

import Martlet

extension Panel {
  /// Shows the page, or switches off.
  mutating func systemPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard Boot.isFirstProcess else {
      return response.refuse(.notFound, "There is no such page here.")
    }
    guard request.method == .post else { return Self.systemForm(request, response, nil) }
    guard request.form.has("confirm") else {
      return Self.systemForm(request, response, Problem(.unconfirmed, at: .confirm))
    }
    // The answer is still sent, and as a page: nobody is there to answer after a redirect.
    response.stopProgram()
    var body = response.message(.ok, ("Powering off" as StaticString).octets)
    body.write("\(begin: .done)This device switches itself off now.\(end: .done)\(end: .narrowCard)")
    return body.finish()
  }

  private static func systemForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ problem: Problem?
  ) -> Answer {
    let form = Form(problem)
    var body = response.form(
      .system, request, problem,
      lead: """
        A device that is powered off answers nobody until somebody switches it on again. Accounts are kept \
        in memory: it is then set up anew.
        """)
    body.begin(form)
    body.writeCheck(.confirm, "Yes, power this device off", in: form)
    body.endForm("Power off")
    body.writeUse(MemoryUse())
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
    write(
      """
      \(begin: .narrowCard)\(heading: "Memory")<table id="use" data-kib="\(use.sum)">
      \(row: "User space", kibibytes: use.sum)\
      \(row: "Data and stack", kibibytes: use.anonymous)\
      \(row: "Files in memory", kibibytes: use.files)\
      \(row: "Page tables", kibibytes: use.pageTables)\
      \(row: "Panel, resident", kibibytes: use.resident)</table>
      \(end: .narrowCard)
      """)
  }
}
