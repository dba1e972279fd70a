// A form with settings, kept in a file. The page shows each mistake beside the text that was typed. A success is
// answered with a redirect, so that a reload of the page does not send the form again.

import Martlet

struct Settings {
  var name: Text<32> = "box"
  /// An interval in seconds.
  var interval = 60
  var isEnabled = true
}

/// The mistakes in a form, field by field.
struct Problems {
  var name: StaticString?
  var interval: StaticString?
  var isEmpty: Bool { name == nil && interval == nil }
}

extension Settings {
  /// Reads the settings of a form. A field with a mistake keeps its default.
  init(_ form: FormFields, _ problems: inout Problems) {
    do throws(LineRefusal) {
      guard let name: Text<32> = try form["name"]?.line() else { throw .empty }
      self.name = name
    } catch {
      problems.name =
        switch error {
        case .empty: "Type a name."
        case .tooLong: "Type at most 32 octets: a letter with an accent has two or more."
        case .malformed: "Type letters, digits and signs only."
        }
    }
    if let interval: Int = try? form["interval"]?.integer(in: 1...3_600) {
      self.interval = interval
    } else {
      problems.interval = "Type a whole number from 1 to 3600."
    }
    isEnabled = form.has("enabled")
  }

  /// Reads the file, which has the text of a form: one reader checks both. Without the file, the defaults.
  init(in folder: Folder) throws(FileError) {
    self.init()
    var buffer = FixedBuffer<256>()
    guard try folder.read("settings", into: &buffer) else { return }
    var problems = Problems()
    let kept = Settings(FormFields(buffer.span), &problems)
    if problems.isEmpty { self = kept }
  }

  /// Replaces the file in one step: after a power cut it has the old settings or the new ones.
  func store(in folder: Folder) throws(FileError) {
    var buffer = FixedBuffer<256>()
    var writer = Writer(buffer.storageSpan)
    writer.append("name=")
    writer.append(percentEncoded: name.span)
    writer.append("&interval=")
    writer.append(decimal: interval)
    if isEnabled { writer.append("&enabled=yes") }
    let count = writer.count
    buffer.setCount(count)
    _ = try folder.replace("settings", with: buffer.span)
  }
}

struct Site: Application {
  let folder: Folder
  var settings: Settings

  enum Page: UInt8 { case settings }

  static func route(to page: Page) -> Route {
    switch page {
    case .settings: .getAndPost("/", for: .everyone)
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    guard request.method == .post else {
      return Self.answer(
        response.body(), settings, typed: nil, Problems(), isSaved: request.query.has("saved"))
    }
    var problems = Problems()
    let changed = Settings(request.form, &problems)
    guard problems.isEmpty else {
      return Self.answer(
        response.body(.unprocessableContent), changed, typed: request.form, problems, isSaved: false)
    }
    do throws(FileError) {
      try changed.store(in: folder)
    } catch {
      return response.refuse(.insufficientStorage, "The settings are not saved: \(error.text).")
    }
    settings = changed
    return response.redirect("/?saved=yes", .seeOther)
  }

  /// Writes the page.
  ///
  /// - Parameter form: The form that was typed, where it has a mistake.
  static func answer(
    _ page: consuming Body<Self>, _ settings: Settings, typed form: FormFields?, _ problems: Problems,
    isSaved: Bool
  ) -> Answer {
    page.write("<!doctype html>\n<title>Settings</title>\n<h1>Settings</h1>\n")
    if isSaved { page.write("<p>The settings are saved.</p>\n") }
    page.write("<form method=\"POST\" action=\"/\">\n<p>Name <input name=\"name\" value=\"")
    if let form { page.write("\(form["name"])") } else { page.write("\(settings.name)") }
    page.write("\"> <strong>\(problems.name)</strong></p>\n<p>Interval <input name=\"interval\" value=\"")
    if let form { page.write("\(form["interval"])") } else { page.write("\(settings.interval)") }
    page.write(
      """
      "> s <strong>\(problems.interval)</strong></p>
      <p><input type="checkbox" name="enabled" value="yes"\(markup: settings.isEnabled ? " checked" : "")> Enabled</p>
      <p><button>Save</button></p>
      </form>

      """)
    return page.end()
  }
}

@main
enum SettingsExample {
  static func main() {
    let options = Options(program: "settings-example", listen: "127.0.0.1:5000")
    do throws(FileError) {
      let folder = try Folder("settings-example-data", creating: true)
      serve(Site(folder: folder, settings: try Settings(in: folder)), options)
    } catch {
      var message = Message("settings-example: the folder settings-example-data: ")
      message.add(error.text)
      message.fail()
    }
  }
}
