//! Moments as text: civil dates from microseconds, in a fixed offset.

/// A day in microseconds.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// Year, month, day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// `2024-01-01 08:00:00.000000` in a zone of `offset` minutes.
pub(crate) fn text(us: i64, offset: i32) -> String {
    let local = us.saturating_add(i64::from(offset) * 60_000_000);
    let (y, m, d) = civil(local.div_euclid(DAY_US));
    let rest = local.rem_euclid(DAY_US);
    let secs = rest / 1_000_000;
    format!(
        "{y:04}-{m:02}-{d:02} {:02}:{:02}:{:02}.{:06}",
        secs / 3600,
        secs / 60 % 60,
        secs % 60,
        rest % 1_000_000
    )
}

/// `20240101` in a zone of `offset` minutes.
pub(crate) fn date_number(us: i64, offset: i32) -> i64 {
    let (y, m, d) = civil((us + i64::from(offset) * 60_000_000).div_euclid(DAY_US));
    y * 10_000 + m * 100 + d
}

/// Microseconds of a text such as `2024-01-01 08:00:00.5`; `T` may stand for the space.
pub(crate) fn parse(text: &str, offset: i32) -> Option<i64> {
    let text = text.trim().replace('T', " ");
    let (date, time) = text.split_once(' ').unwrap_or((&text, "00:00:00"));
    let mut parts = date.split('-').map(|p| p.parse::<i64>().ok());
    let (y, m, d) = (parts.next()??, parts.next()??, parts.next()??);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.split(':').map(|p| p.parse::<i64>().ok());
    let (h, min, s) = (
        parts.next()??,
        parts.next().unwrap_or(Some(0))?,
        parts.next().unwrap_or(Some(0))?,
    );
    let valid = (1..=12).contains(&m)
        && (1..=31).contains(&d)
        && (0..24).contains(&h)
        && (0..60).contains(&min)
        && (0..60).contains(&s)
        && (0..=9999).contains(&y);
    if !valid || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
    Some(
        days(y, m, d) * DAY_US + (h * 3600 + min * 60 + s) * 1_000_000 + micros
            - i64::from(offset) * 60_000_000,
    )
}

/// Minutes of a zone text: `+08:00`, `SYSTEM`, `UTC`.
pub(crate) fn offset(text: &str) -> Option<i32> {
    match text.to_ascii_uppercase().as_str() {
        "SYSTEM" | "ASIA/SHANGHAI" | "PRC" => return Some(480),
        "UTC" | "GMT" => return Some(0),
        _ => {}
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (h, m) = text.trim_start_matches(['+', '-']).split_once(':')?;
    let (h, m) = (h.parse::<u8>().ok()?, m.parse::<u8>().ok()?);
    (h < 15 && m < 60).then(|| sign * (i32::from(h) * 60 + i32::from(m)))
}

/// Microseconds of an interval text such as `120s`, `2h`, `7d`, `100ms`.
pub(crate) fn interval(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let number: i64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "us" => 1,
        "ms" => 1000,
        "s" | "" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => DAY_US,
        _ => return None,
    };
    number.checked_mul(unit)
}
