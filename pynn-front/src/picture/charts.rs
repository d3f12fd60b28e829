//! Bars: lost synapses by cause, synapses by delay.

use super::facts::Facts;
use super::pen::{ALARM, BUSY, INK, Pen, Style, grouped, percent};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;
const TOP: f64 = 84.0;
const ROW: f64 = 42.0;

/// Lost synapses by cause, beside what no mapping can avoid.
pub(super) fn causes(facts: &Facts) -> String {
    let (requested, lost) = (facts.requested(), facts.lost());
    let mut pen = Pen::default();
    let title = format!("{} of {} synapses lost", grouped(lost), grouped(requested));
    pen.text((24.0, 36.0), 20.0, Style::START, &title);
    let bound = format!(
        "bound for the chosen sizes {:.4} %, without limits of L1 and switches {:.4} %",
        100.0 * facts.bound_loss_fraction,
        100.0 * facts.ideal_l1_loss_fraction
    );
    pen.text((24.0, 60.0), 14.0, Style::START.faint(), &bound);
    let most = facts.causes.values().copied().max().unwrap_or(1).max(1);
    let span = WIDTH - LEFT - 170.0;
    let mut y = TOP;
    for (cause, &n) in &facts.causes {
        let label = cause.replace('_', " ");
        pen.text((LEFT - 12.0, y + 20.0), 15.0, Style::END, &label);
        let width = span * n as f64 / most as f64;
        pen.rect([LEFT, y + 2.0, width.max(1.0), ROW - 16.0], &format!("fill=\"{ALARM}\""));
        let value = format!("{} ({})", grouped(n), percent(n, requested));
        pen.text((LEFT + width + 10.0, y + 20.0), 14.0, Style::START, &value);
        y += ROW;
    }
    if facts.causes.is_empty() {
        pen.text((24.0, y + 16.0), 15.0, Style::START, "nothing is lost");
        y += ROW;
    }
    pen.line((LEFT, TOP - 6.0), (LEFT, y), &format!("stroke=\"{INK}\""));
    pen.finish(WIDTH, y + 14.0)
}

/// Synapses by the delay of their routes.
pub(super) fn delays(facts: &Facts) -> String {
    let height = 420.0;
    let (top, bottom, right) = (70.0, height - 62.0, WIDTH - 30.0);
    let left = 78.0;
    let mut pen = Pen::default();
    pen.text((24.0, 36.0), 20.0, Style::START, "Delays of the realised synapses");
    let Some((&first, &last)) = facts.delays.keys().next().zip(facts.delays.keys().next_back())
    else {
        pen.text((24.0, 84.0), 15.0, Style::START, "no synapse is realised");
        return pen.finish(WIDTH, height);
    };
    let all: usize = facts.delays.values().sum();
    let weighted: f64 = facts.delays.iter().map(|(d, n)| facts.delay_ms(*d) * *n as f64).sum();
    let about = format!(
        "{:.2} to {:.2} ms of biological time, mean {:.2} ms",
        facts.delay_ms(first),
        facts.delay_ms(last),
        weighted / all as f64
    );
    pen.text((24.0, 58.0), 14.0, Style::START.faint(), &about);
    let bars = (last.0 - first.0 + 1) as f64;
    let width = (right - left) / bars;
    let highest = facts.delays.values().copied().max().unwrap_or(1) as f64 / all as f64;
    let scale = |share: f64| bottom - (bottom - top - 10.0) * share / highest;
    let step = round_step(highest / 7.0);
    for i in 0..=(highest / step) as usize {
        let y = scale(step * i as f64);
        pen.line((left, y), (right, y), "stroke=\"#e3e6ea\"");
        let label = format!("{:.3}", 100.0 * step * i as f64);
        let label = label.trim_end_matches('0').trim_end_matches('.');
        pen.text((left - 8.0, y + 5.0), 13.0, Style::END, label);
    }
    for (delay, &n) in &facts.delays {
        let x = left + width * (delay.0 - first.0) as f64;
        let y = scale(n as f64 / all as f64);
        let gap = (width * 0.12).min(2.0);
        let bar = [x + gap, y, width - 2.0 * gap, bottom - y];
        let title = format!("{:.2} ms: {} synapses", facts.delay_ms(*delay), grouped(n));
        pen.raw(&format!("<g><title>{title}</title>"));
        pen.rect(bar, &format!("fill=\"{BUSY}\" fill-opacity=\"0.8\""));
        pen.raw("</g>\n");
    }
    // about eight labels
    let step = (bars / 8.0).ceil() as u64;
    for cycles in (first.0..=last.0).step_by(step.max(1) as usize) {
        let x = left + width * ((cycles - first.0) as f64 + 0.5);
        let label = format!("{:.2}", facts.delay_ms(hal::wafer::DncCycles(cycles)));
        pen.text((x, bottom + 19.0), 13.0, Style::MIDDLE, &label);
    }
    pen.line((left, bottom), (right, bottom), &format!("stroke=\"{INK}\""));
    let middle = f64::midpoint(left, right);
    pen.text((middle, height - 18.0), 15.0, Style::MIDDLE, "delay [ms biological]");
    pen.raw(&format!("<g transform=\"translate(22 {}) rotate(-90)\">", f64::midpoint(top, bottom)));
    pen.text((0.0, 0.0), 15.0, Style::MIDDLE, "share of synapses [%]");
    pen.raw("</g>\n");
    pen.finish(WIDTH, height)
}

/// 1, 2 or 5 times a power of ten, the next above a positive number.
fn round_step(wanted: f64) -> f64 {
    let decade = 10_f64.powf(wanted.log10().floor());
    let round = [1.0, 2.0, 5.0].into_iter().find(|r| r * decade >= wanted);
    round.unwrap_or(10.0) * decade
}
