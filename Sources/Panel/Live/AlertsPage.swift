// The form of the alerts → rules that are stored, and a way back to the history. Nothing changes where one number
// is wrong; the form then shows what was typed.

import Martlet

extension Panel {
  /// Shows the form, or stores what was typed.
  mutating func alertsPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard request.method == .post else { return alertsForm(request, response, nil) }
    var changed = alerts
    for i in 0..<Alerts.count {
      let (above, minutes) = Self.fields(i)
      let number = Self.number(Field.start(of: request.form[above.name]).span, atMost: Alerts.numberMax(i))
      guard let number else { return alertsForm(request, response, Problem(.thresholdWrong, at: above)) }
      let time = Self.number(Field.start(of: request.form[minutes.name]).span, atMost: AlertRule.minutesMax)
      guard let time, time > 0 || number == 0 else {
        return alertsForm(request, response, Problem(.minutesWrong, at: minutes))
      }
      changed.set(
        AlertRule(threshold: number * Alerts.scale(i), minutes: time > 0 ? time : AlertRule().minutes), at: i)
    }
    do throws(SystemError) {
      let stored = try changed.store(in: files.directory)
      if case .unconfirmed(let error) = stored { StorageTrouble.unconfirmed(error).log() }
    } catch {
      Log.failed("alerts_not_stored", error)
      return response.refuse(
        .internalServerError,
        """
        The alerts could not be written: \(error.text). Nothing has changed. Check the data directory's \
        disk and permissions, then try again.
        """)
    }
    alerts = changed
    if let user = request.user {
      Log.changed("alerts_changed", user.name, request.client(for: request.user, trusting: proxies))
    }
    return response.redirect(to: .alerts, saying: .alertsStored)
  }

  /// The fields of a rule.
  private static func fields(_ index: Int) -> (above: Field, minutes: Field) {
    switch index {
    case 0: (.processors, .processorsMinutes)
    case 1: (.load, .loadMinutes)
    case 2: (.memory, .memoryMinutes)
    default: (.temperature, .temperatureMinutes)
    }
  }

  /// The number that was typed; 0 for nothing. `nil` for what is no number, or is too large.
  static func number(_ typed: Span<UInt8>, atMost numberMax: Int64) -> Int64? {
    let text = typed.extracting(typed.trimmed(0..<typed.count))
    if text.count == 0 { return 0 }
    guard let number = text.decimal(), number <= UInt64(numberMax) else { return nil }
    return Int64(number)
  }

  @inline(never)
  private mutating func alertsForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ problem: Problem?
  ) -> Answer {
    var form = Form(problem)
    var body = response.form(
      .alerts, request, problem,
      lead: """
        The overview says so when a value has been above your number for so many minutes. Without a number \
        there is no alert.
        """)
    body.begin(form)
    let labels: InlineArray<4, StaticString> = ["Processors, %", "Load", "Memory, %", "Temperature, °C"]
    let times: InlineArray<4, StaticString> = [
      "Processors, min", "Load, min", "Memory, min", "Temperature, min",
    ]
    for i in 0..<Alerts.count {
      let (above, minutes) = Self.fields(i)
      body.write("<div class=\"pair\"><div>")
      let number = alerts.rules[i].threshold / Alerts.scale(i)
      body.writeNumber(above, labels[i], request, problem, number, in: &form)
      body.write("</div><div>")
      body.writeNumber(minutes, times[i], request, problem, alerts.rules[i].minutes, in: &form)
      body.write("</div></div>\n")
    }
    body.endForm("Store alerts")
    return body.finish()
  }
}

extension Body where Site == Panel {
  /// Writes a field with what was typed where something is wrong with the form, or else with a number.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeNumber(
    _ field: Field, _ label: StaticString, _ request: borrowing Request<Panel>, _ problem: Problem?,
    _ number: Int64, in form: inout Form
  ) {
    var text: Text<48>
    if problem != nil {
      text = Field.start(of: request.form[field.name])
    } else {
      text = number > 0 ? Text(cutting: Readable.hundredths(UInt64(number) * 100).span) : Text()
    }
    write(field, label, typed: text.span, in: &form)
  }

  /// Says what the alerts tell, where there are any.
  @_lifetime(self: copy self)
  mutating func writeAlerts(_ alerts: Alerts) {
    guard alerts.hasRules else { return }
    var buffer = FixedBuffer<320>()
    var writer = Writer(buffer.storageSpan)
    alerts.write(to: &writer)
    let text = writer.span
    write("<p class=\"problem live\" data-live=\"alerts\" role=\"status\">\(text)</p>\n")
  }
}
