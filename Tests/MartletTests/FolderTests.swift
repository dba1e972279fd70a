// The files of programs in real folders: names from outside, links, limits, generations, listings, writers.

import Glibc
import Martlet
import TestSupport
import Testing

/// A folder of a test's own.
private final class Scratch {
  let path: String
  let folder: Folder

  init() throws {
    var template = Array("/tmp/martlet-files-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
    folder = try open(path)
  }

  deinit {
    folder.close()
    let names = (try? self.names) ?? []
    for name in names {
      unlink(path + "/" + name)
      rmdir(path + "/" + name)
    }
    rmdir(path)
  }

  /// The names that a listing has.
  var names: [String] {
    get throws {
      var names: [String] = []
      var entries = try folder.entries()
      while let entry = try entries.next() { names.append(String(entry.name)) }
      return names.sorted()
    }
  }

  func write(_ name: String, _ text: String) {
    let file = Glibc.fopen(path + "/" + name, "w")
    fputs(text, file)
    fclose(file)
  }

  func content(_ name: String) -> String? {
    guard let file = Glibc.fopen(path + "/" + name, "r") else { return nil }
    defer { fclose(file) }
    var octets = [UInt8](repeating: 0, count: 100_000)
    let count = fread(&octets, 1, octets.count, file)
    return String(decoding: octets.prefix(count), as: UTF8.self)
  }

  func replace(_ name: String, _ text: String, keepingFormer: Bool = false) throws(FileError) -> Stored {
    let (name, text) = (Array(name.utf8), Array(text.utf8))
    return try folder.replace(name.span, with: text.span, keepingFormer: keepingFormer)
  }

  func append(_ name: String, _ line: String, sizeMax: Int) throws(FileError) {
    let (name, line) = (Array(name.utf8), Array(line.utf8))
    try folder.append(line: line.span, to: name.span, sizeMax: sizeMax)
  }

  func read(_ name: String) throws(FileError) -> String? {
    let name = Array(name.utf8)
    var buffer = FixedBuffer<100>()
    guard try folder.read(name.span, into: &buffer) else { return nil }
    return String(buffer.span)
  }

  /// Why a call is refused.
  func reason(_ body: () throws(FileError) -> Void) -> FileError.Reason? {
    do throws(FileError) {
      try body()
      return nil
    } catch {
      return error.reason
    }
  }
}

private func open(_ path: String, creating: Bool = false) throws(FileError) -> Folder {
  let path = Array(path.utf8)
  return try Folder(path.span, creating: creating)
}

@Suite struct FolderTests {
  @Test("A name that would lead out of the folder, or to an unfinished file, is refused everywhere")
  func names() throws {
    let scratch = try Scratch()
    let long = String(repeating: "n", count: 255)
    for name in [
      "", ".", "..", "/", "a/b", "/etc/passwd", "../a", "a/..", "a\0b", "\0", ".martlet-", ".martlet-new",
      ".martlet-00000001", long + "n", "a/",
    ] {
      let octets = Array(name.utf8)
      let isAllowed = Folder.allows(octets.span)
      #expect(!isAllowed, "\(name)")
      let write = scratch.reason { () throws(FileError) in _ = try scratch.replace(name, "x") }
      let append = scratch.reason { () throws(FileError) in try scratch.append(name, "x", sizeMax: 9) }
      let read = scratch.reason { () throws(FileError) in _ = try scratch.read(name) }
      let remove = scratch.reason { () throws(FileError) in try scratch.folder.remove(octets.span) }
      var writer = try FileWriter(in: scratch.folder)
      let finish = scratch.reason { () throws(FileError) in try writer.finish(as: octets.span) }
      #expect(
        [write, append, read, remove, finish] == Array(repeating: .nameNotAllowed, count: 5), "\(name)")
    }
    #expect(try scratch.names == [])
    for name in ["a", "...", ".a", "a b", "\n", "\u{7F}", "ä", long, ".martlet", "-rf", "a~"] {
      let octets = Array(name.utf8)
      let isAllowed = Folder.allows(octets.span)
      #expect(isAllowed, "\(name)")
      #expect(try scratch.replace(name, "x") == .onDisk)
      #expect(try scratch.read(name) == "x")
      let removed = try scratch.folder.remove(octets.span)
      #expect(removed)
    }
    // The generations' names must fit as well.
    let kept = scratch.reason { () throws(FileError) in
      _ = try scratch.replace(long, "x", keepingFormer: true)
    }
    #expect(kept == .nameNotAllowed)
  }

  @Test("A symbolic link is neither read, nor appended to, nor followed by a new content")
  func links() throws {
    let scratch = try Scratch()
    let outside = try Scratch()
    outside.write("secret", "outside")
    symlink(outside.path + "/secret", scratch.path + "/link")
    let read = scratch.reason { () throws(FileError) in _ = try scratch.read("link") }
    let append = scratch.reason { () throws(FileError) in try scratch.append("link", "x", sizeMax: 99) }
    let kept = scratch.reason { () throws(FileError) in
      _ = try scratch.replace("link", "x", keepingFormer: true)
    }
    #expect([read, append, kept] == [.other(ELOOP), .other(ELOOP), .other(ELOOP)])
    #expect(try scratch.replace("link", "inside") == .onDisk)
    #expect(try scratch.read("link") == "inside")
    #expect(outside.content("secret") == "outside")
    // A temporary name that leads out is removed, not followed.
    symlink(outside.path + "/secret", scratch.path + "/.martlet-new")
    #expect(try scratch.replace("link", "again") == .onDisk)
    #expect(outside.content("secret") == "outside")
    symlink(outside.path + "/secret", scratch.path + "/link2")
    let removed = try scratch.folder.remove("link2")
    #expect(removed)
    #expect(outside.content("secret") == "outside")
  }

  @Test("What is no file is refused at once, and says what it is")
  func kinds() throws {
    let scratch = try Scratch()
    mkdir(scratch.path + "/folder", 0o700)
    mkfifo(scratch.path + "/pipe", 0o600)
    for (name, expected) in [("folder", FileError.Reason.isFolder), ("pipe", .other(4_099))] {
      let read = scratch.reason { () throws(FileError) in _ = try scratch.read(name) }
      let append = scratch.reason { () throws(FileError) in try scratch.append(name, "x", sizeMax: 99) }
      #expect(read == expected && append == expected, "\(name)")
    }
    let replaced = scratch.reason { () throws(FileError) in _ = try scratch.replace("folder", "x") }
    let removed = scratch.reason { () throws(FileError) in try scratch.folder.remove("folder") }
    #expect(replaced == .isFolder && removed == .isFolder)
    var kinds: [String: FolderEntry.Kind] = [:]
    scratch.write("file", "12345")
    var entries = try scratch.folder.entries()
    while let entry = try entries.next() {
      let name = String(entry.name)
      kinds[name] = entry.kind
      #expect(entry.size == (name == "file" ? 5 : 0))
    }
    #expect(kinds == ["folder": .folder, "pipe": .other, "file": .file])
  }

  @Test("A folder is opened, or made for its owner alone, or the reason is told")
  func folders() throws {
    let scratch = try Scratch()
    func reason(_ path: String, creating: Bool = false) -> FileError.Reason? {
      scratch.reason { () throws(FileError) in try open(path, creating: creating).close() }
    }
    let inner = scratch.path + "/inner"
    #expect(reason(inner) == .notThere)
    #expect(reason(inner, creating: true) == nil)
    var facts = stat()
    stat(inner, &facts)
    #expect(facts.st_mode & 0o777 == 0o700)
    #expect(reason(inner, creating: true) == nil)
    scratch.write("file", "x")
    #expect(reason(scratch.path + "/file", creating: true) == .other(ENOTDIR))
    #expect(reason(scratch.path + "/a/b", creating: true) == .notThere)
    #expect(reason("") == .other(EINVAL))
    #expect(reason("a\0b") == .other(EINVAL))
    #expect(reason(String(repeating: "p", count: 600)) == .nameNotAllowed)
  }

  @Test("A whole file is read, up to exactly the buffer's capacity")
  func read() throws {
    let scratch = try Scratch()
    #expect(try scratch.read("file") == nil)
    for size in [0, 1, 99, 100] {
      scratch.write("file", String(repeating: "o", count: size))
      #expect(try scratch.read("file")?.utf8.count == size)
    }
    scratch.write("file", String(repeating: "o", count: 101))
    var buffer = FixedBuffer<100>()
    buffer.append(1)
    let reason = scratch.reason { () throws(FileError) in
      _ = try scratch.folder.read("file", into: &buffer)
    }
    #expect(reason == .tooLarge)
    let count = buffer.count
    #expect(count == 0)
    var storage = [UInt8](repeating: 7, count: 103)
    var target = storage.mutableSpan
    let size = try scratch.folder.read("file", into: &target)
    #expect(size == 101)
    #expect(storage[100] == 0x6F && storage[101] == 7)
    var none = [UInt8]()
    var nothing = none.mutableSpan
    scratch.write("file", "")
    let empty = try scratch.folder.read("file", into: &nothing)
    #expect(empty == 0)
  }

  @Test("A text is read without the line feed at its end, and refused when it does not fit")
  func text() throws {
    let scratch = try Scratch()
    func read() throws -> String? {
      let text: Text<4>? = try scratch.folder.text("file")
      return text.map { String($0.span) }
    }
    #expect(try read() == nil)
    for (content, expected) in [
      ("", ""), ("\n", ""), ("abc\n", "abc"), ("abcd", "abcd"), ("abcd\n", "abcd"), ("a\n\n", "a\n"),
    ] {
      scratch.write("file", content)
      #expect(try read() == expected)
    }
    for content in ["abcde", "abcde\n", "abcd\n\n", String(repeating: "l", count: 300)] {
      scratch.write("file", content)
      let reason = scratch.reason { () throws(FileError) in
        let text: Text<4>? = try scratch.folder.text("file")
        _ = text
      }
      #expect(reason == .tooLarge, "\(content)")
    }
  }

  @Test("The former content is kept under NAME~, if that is asked for")
  func former() throws {
    let scratch = try Scratch()
    #expect(try scratch.replace("file", "1", keepingFormer: true) == .onDisk)
    #expect(try scratch.names == ["file"])
    let long = String(repeating: "2", count: 3_000)
    #expect(try scratch.replace("file", long, keepingFormer: true) == .onDisk)
    #expect(scratch.content("file~") == "1")
    #expect(try scratch.replace("file", "3", keepingFormer: true) == .onDisk)
    #expect(scratch.content("file~") == long)
    #expect(try scratch.replace("file", "4") == .onDisk)
    #expect(scratch.content("file") == "4" && scratch.content("file~") == long)
    #expect(try scratch.names == ["file", "file~"])
    var facts = stat()
    stat(scratch.path + "/file~", &facts)
    #expect(facts.st_mode & 0o777 == 0o600)
  }

  @Test("A file that grows by lines never exceeds its size, and keeps one generation")
  func append() throws {
    let scratch = try Scratch()
    for number in 0..<200 {
      try scratch.append("log", "line \(number)", sizeMax: 100)
      let content = try #require(scratch.content("log"))
      #expect(content.utf8.count <= 100)
      #expect(content.hasSuffix("line \(number)\n"))
    }
    let both = scratch.content("log.1")! + scratch.content("log")!
    let lines = both.split(separator: "\n")
    #expect(lines.count > 10 && lines.first == "line \(200 - lines.count)")
    #expect(try scratch.names == ["log", "log.1"])
    // A line of 99 octets and its line feed is the longest.
    try scratch.append("log", String(repeating: "l", count: 99), sizeMax: 100)
    #expect(scratch.content("log")?.utf8.count == 100)
    let long = scratch.reason { () throws(FileError) in
      try scratch.append("log", String(repeating: "l", count: 100), sizeMax: 100)
    }
    let lineFeed = scratch.reason { () throws(FileError) in
      try scratch.append("log", "a\nb", sizeMax: 100)
    }
    #expect(long == .tooLarge && lineFeed == .other(4_104))
    for sizeMax in [0, -1, Int.min] {
      let reason = scratch.reason { () throws(FileError) in try scratch.append("x", "", sizeMax: sizeMax) }
      #expect(reason == .tooLarge)
    }
    try scratch.append("x", "", sizeMax: 1)
    #expect(scratch.content("x") == "\n")
  }

  @Test("The start of a line that a power cut has left stays a line of its own")
  func halfLine() throws {
    let scratch = try Scratch()
    scratch.write("log", "one\ntw")
    try scratch.append("log", "three", sizeMax: 100)
    #expect(scratch.content("log") == "one\ntw\nthree\n")
    // A file that is larger than it may be, such as after a change of the limit, becomes the generation.
    scratch.write("log", String(repeating: "o", count: 500))
    try scratch.append("log", "four", sizeMax: 100)
    #expect(scratch.content("log") == "four\n" && scratch.content("log.1")?.utf8.count == 500)
  }

  @Test("A file that is removed is gone, and one that is not there is no error")
  func remove() throws {
    let scratch = try Scratch()
    scratch.write("file", "x")
    let (first, second) = (try scratch.folder.remove("file"), try scratch.folder.remove("file"))
    #expect(first && !second)
  }

  @Test("A listing has every name once, of any octets and length, and no unfinished file")
  func listing() throws {
    let scratch = try Scratch()
    #expect(try scratch.names == [])
    var names = (0..<100).map { String(repeating: "n", count: $0 * 2 + 1) }
    names += ["\n", "ä", "\u{7F}", ".hidden", "...", String(repeating: "l", count: 255)]
    for name in names { scratch.write(name, "") }
    var writer = try FileWriter(in: scratch.folder)
    #expect(try scratch.names == names.sorted())
    // Two listings at a time do not disturb each other.
    var first = try scratch.folder.entries()
    var second = try scratch.folder.entries()
    var count = 0
    while try first.next() != nil, try second.next() != nil { count += 1 }
    #expect(count == names.count)
    writer.abandon()
  }

  @Test("A writer's file has its name at the end only, and writers side by side do not mix")
  func writers() throws {
    let scratch = try Scratch()
    scratch.write("a", "old")
    var first = try FileWriter(in: scratch.folder)
    var second = try FileWriter(in: scratch.folder)
    for number in 0..<100 {
      let (one, two) = (Array("\(number);".utf8), Array("x".utf8))
      try first.append(one.span)
      try second.append(two.span)
    }
    #expect(scratch.content("a") == "old")
    #expect(try scratch.names == ["a"])
    #expect(first.count == 290 && second.count == 100)
    let (one, two) = (try first.finish(as: "a"), try second.finish(as: "b"))
    #expect(one == .onDisk && two == .onDisk)
    #expect(scratch.content("a") == (0..<100).map { "\($0);" }.joined())
    #expect(scratch.content("b") == String(repeating: "x", count: 100))
    let again = scratch.reason { () throws(FileError) in try first.finish(as: "c") }
    let part = scratch.reason { () throws(FileError) in try first.append([1].span) }
    first.abandon()
    #expect(again == .other(4_102) && part == .other(4_102))
    var third = try FileWriter(in: scratch.folder)
    third.abandon()
    third.abandon()
    #expect(try scratch.names == ["a", "b"])
    #expect(try scratch.folder.removeUnfinished() == 0)
    #expect(MemoryLayout<FileWriter>.size <= 64 && MemoryLayout<FileWriter?>.size <= 64)
  }

  @Test("However many writers are under way, each has a file of its own")
  func manyWriters() throws {
    let scratch = try Scratch()
    var writers: [FileWriter] = []
    for number in 0..<40 {
      var writer = try FileWriter(in: scratch.folder)
      let part = Array("\(number)".utf8)
      try writer.append(part.span)
      writers.append(writer)
    }
    for number in writers.indices {
      let name = Array("file-\(number)".utf8)
      try writers[number].finish(as: name.span, synced: false)
    }
    for number in writers.indices { #expect(scratch.content("file-\(number)") == "\(number)") }
  }

  @Test("What a power cut has left of writers is removed, however much there is, and nothing else")
  func unfinished() throws {
    let scratch = try Scratch()
    scratch.write("kept", "x")
    scratch.write(".martlet", "x")
    for number in 0..<300 { scratch.write(".martlet-\(number)", "half") }
    #expect(try scratch.folder.removeUnfinished() == 300)
    #expect(try scratch.folder.removeUnfinished() == 0)
    #expect(try scratch.names == [".martlet", "kept"])
  }

  @Test("An error says in words what people can do something about")
  func words() throws {
    let scratch = try Scratch()
    var texts: [String] = []
    func note(_ body: () throws(FileError) -> Void) {
      do throws(FileError) { try body() } catch { texts.append(String(error.text)) }
    }
    note { () throws(FileError) in _ = try open("/nowhere/at/all") }
    note { () throws(FileError) in _ = try scratch.replace("a/b", "x") }
    note { () throws(FileError) in try scratch.append("a", "b\nc", sizeMax: 9) }
    note { () throws(FileError) in try scratch.append("a", "bbbbbbbbbbbb", sizeMax: 9) }
    #expect(
      texts == [
        "no such file or folder", "the name is not allowed", "it is more than one line",
        "there is no room for so much",
      ])
  }
}
