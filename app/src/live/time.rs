//! The viewer's clock and zone.
//!
//! The server renders UTC, and so does the first render in the browser. Once that matched, the
//! viewer's own zone takes over everywhere at once, and a clock ticks every second.

use crate::signal::RwSignal;
use domain::Scn;
use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// A moment as a calendar and a clock on the wall show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, 1 to 31.
    pub day: u32,
    /// Day of the week, 0 for Sunday.
    pub weekday: u32,
    /// Hour, 0 to 23.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second.
    pub second: u32,
    /// Nanosecond within the second.
    pub nanos: u32,
}

impl Civil {
    /// `2026-11-12`.
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `14:32:07`.
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    /// `118204`: microseconds, cut.
    pub fn micros(&self) -> String {
        format!("{:06}", self.nanos / 1000)
    }
}

/// The viewer's clock: which zone to show, and the seconds going by. A context of the whole page.
#[derive(Clone, Copy)]
pub struct Clock {
    local: RwSignal<bool>,
    tick: RwSignal<Option<f64>>,
}

impl Clock {
    /// Provides the clock to everything below and starts it in the browser.
    pub fn provide() -> Clock {
        let clock = Clock {
            local: RwSignal::new(false),
            tick: RwSignal::new(None),
        };
        provide_context(clock);
        Effect::new(move |_| {
            clock.local.set(true);
            clock.tick.set(Some(js_sys::Date::now()));
            let ticks = StoredValue::new_local(Some(Interval::new(1000, move || {
                clock.tick.set(Some(js_sys::Date::now()));
            })));
            on_cleanup(move || ticks.set_value(None));
        });
        clock
    }

    /// The page's clock.
    pub fn current() -> Clock {
        expect_context::<Clock>()
    }

    /// Whether moments are shown in the viewer's zone by now; else in UTC. Tracked.
    pub fn is_local(&self) -> bool {
        self.local.get()
    }

    /// Milliseconds since the epoch by the viewer's clock; absent before the page answers. Ticks every second.
    pub fn wall_ms(&self) -> Option<f64> {
        self.tick.get()
    }

    /// A moment in the zone that is shown now. Tracked.
    pub fn civil(&self, moment: Scn) -> Civil {
        if self.is_local() {
            local_civil(moment)
        } else {
            utc_civil(moment)
        }
    }

    /// The moment of a date and time in the zone that is shown now. Out-of-range parts carry over. Tracked.
    pub fn moment(&self, civil: &Civil) -> Scn {
        let (month, day) = (i64::from(civil.month), i64::from(civil.day));
        let whole_ms = if self.is_local() {
            let date = js_sys::Date::new_0();
            date.set_full_year_with_month_date(civil.year as u32, month as i32 - 1, day as i32);
            date.set_hours(civil.hour);
            date.set_minutes(civil.minute);
            date.set_seconds(civil.second);
            date.set_milliseconds(0);
            date.get_time().max(0.0) as u64
        } else {
            utc_ms(civil)
        };
        Scn::from_ms(whole_ms).plus_ns(u64::from(civil.nanos))
    }

    /// Midnight of the day `days` after the day of `moment`, in the zone that is shown now. Tracked.
    pub fn midnight(&self, moment: Scn, days: i32) -> Scn {
        if self.is_local() {
            let civil = local_civil(moment);
            let date = js_sys::Date::new_with_year_month_day(
                civil.year as u32,
                civil.month as i32 - 1,
                civil.day as i32 + days,
            );
            Scn::from_ms(date.get_time().max(0.0) as u64)
        } else {
            let shift = i64::from(days) * domain::scn::NS_PER_DAY as i64;
            Scn(moment.utc_midnight().0.saturating_add_signed(shift))
        }
    }

    /// `UTC` or `UTC+08:00`: the offset that is in force at `moment`. Tracked.
    pub fn zone_label(&self, moment: Scn) -> String {
        if !self.is_local() {
            return "UTC".to_owned();
        }
        let minutes = -js_date(moment).get_timezone_offset() as i32;
        if minutes == 0 {
            return "UTC".to_owned();
        }
        let sign = if minutes < 0 { '\u{2212}' } else { '+' };
        let minutes = minutes.abs();
        format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Milliseconds since the epoch by the viewer's clock. Only in the browser.
pub fn wall_ms() -> f64 {
    js_sys::Date::now()
}

fn js_date(moment: Scn) -> js_sys::Date {
    js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(moment.ms() as f64))
}

fn local_civil(moment: Scn) -> Civil {
    let date = js_date(moment);
    Civil {
        year: date.get_full_year() as i32,
        month: date.get_month() + 1,
        day: date.get_date(),
        weekday: date.get_day(),
        hour: date.get_hours(),
        minute: date.get_minutes(),
        second: date.get_seconds(),
        nanos: (moment.0 % domain::scn::NS_PER_SECOND) as u32,
    }
}

/// Days since the epoch of a date, and back: the proleptic Gregorian calendar in whole numbers.
fn days_of(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = i64::from(month);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn date_of(days: i64) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = (if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    }) as u32;
    let year = (year_of_era + era * 400 + i64::from(month <= 2)) as i32;
    (year, month, day)
}

/// A moment in UTC.
pub fn utc_civil(moment: Scn) -> Civil {
    let days = (moment.0 / domain::scn::NS_PER_DAY) as i64;
    let second_of_day = (moment.0 % domain::scn::NS_PER_DAY / domain::scn::NS_PER_SECOND) as u32;
    let (year, month, day) = date_of(days);
    Civil {
        year,
        month,
        day,
        weekday: (days + 4).rem_euclid(7) as u32,
        hour: second_of_day / 3600,
        minute: second_of_day / 60 % 60,
        second: second_of_day % 60,
        nanos: (moment.0 % domain::scn::NS_PER_SECOND) as u32,
    }
}

fn utc_ms(civil: &Civil) -> u64 {
    let days = days_of(civil.year, civil.month, civil.day);
    let seconds = days * 86_400
        + i64::from(civil.hour) * 3600
        + i64::from(civil.minute) * 60
        + i64::from(civil.second);
    u64::try_from(seconds * 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_parts_agree_with_the_calendar_and_read_back() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T23:59:59.999999999Z",
            "2024-12-31T12:00:00.000001Z",
            "2026-11-12T14:32:07.118204Z",
            "2100-03-01T00:00:00Z",
        ] {
            let moment = Scn::parse_rfc3339(text).unwrap();
            let civil = utc_civil(moment);
            let shown = format!("{} {}.{}", civil.date(), civil.clock(), civil.micros());
            assert_eq!(shown, moment.display_micros());
            assert_eq!(
                Scn::from_ms(utc_ms(&civil)).plus_ns(u64::from(civil.nanos)),
                moment
            );
        }
        let thursday = utc_civil(Scn::parse_rfc3339("2026-11-12T00:00:00Z").unwrap());
        assert_eq!(thursday.weekday, 4);
    }
}
