use proptest::prelude::*;

use super::*;

fn money(units: i64) -> Decimal {
    Decimal::new(units, 4)
}

fn percent(hundredths: i64) -> Decimal {
    Decimal::new(hundredths, 2)
}

fn thresholds() -> impl Strategy<Value = Thresholds> {
    (1i64..10_000).prop_flat_map(|warning| {
        (warning + 1..=10_000)
            .prop_map(move |critical| Thresholds::new(percent(warning), percent(critical)).expect("ordered"))
    })
}

fn level(value: &str, billed: &str) -> Level {
    level_of(
        value.parse().unwrap(),
        billed.parse().unwrap(),
        Thresholds::default(),
    )
}

#[test]
fn each_level_begins_exactly_at_its_boundary() {
    assert_eq!(level("1000", "799.9999"), Level::OnTrack);
    assert_eq!(level("1000", "800"), Level::Warning);
    assert_eq!(level("1000", "949.9999"), Level::Warning);
    assert_eq!(level("1000", "950"), Level::Critical);
    assert_eq!(level("1000", "1000"), Level::Critical);
    assert_eq!(level("1000", "1000.0001"), Level::OverBudget);
}

#[test]
fn a_boundary_holds_where_a_rounded_quotient_would_cross_it() {
    assert_eq!(
        level("999999999999999.9999", "799999999999999.9999"),
        Level::OnTrack
    );
    assert_eq!(
        level("999999999999999.9995", "799999999999999.9996"),
        Level::Warning
    );
}

#[test]
fn an_order_without_value_is_over_budget_once_anything_is_billed() {
    assert_eq!(level("0", "0"), Level::OnTrack);
    assert_eq!(level("0", "0.0001"), Level::OverBudget);
    assert_eq!(level("0", "-5"), Level::OnTrack);
    assert_eq!(utilisation(Decimal::ZERO, Decimal::ONE), None);
}

#[test]
fn a_reversal_below_zero_is_on_track() {
    assert_eq!(level("100", "-20"), Level::OnTrack);
}

#[test]
fn thresholds_keep_zero_warning_critical_hundred_in_order() {
    let new = |warning, critical| Thresholds::new(percent(warning), percent(critical));
    assert_eq!(new(0, 5000), Err(ThresholdError::WarningNotPositive));
    assert_eq!(new(8000, 8000), Err(ThresholdError::CriticalNotAboveWarning));
    assert_eq!(new(8000, 10_001), Err(ThresholdError::CriticalAboveHundred));
    assert_eq!(new(8000, 10_000).unwrap().critical(), Decimal::ONE_HUNDRED);
}

#[test]
fn a_note_is_needed_at_critical_and_above() {
    assert_eq!(Level::ALL.map(Level::needs_note), [false, false, true, true]);
}

#[test]
fn an_alert_walks_only_the_allowed_ways() {
    use AlertState::{Acknowledged, Escalated, Open, Resolved};
    use AlertStep::{Acknowledge, Escalate, FallBack, Resolve};
    let allowed = [
        (Open, Acknowledge, Acknowledged),
        (Open, Escalate, Escalated),
        (Open, FallBack, Resolved),
        (Escalated, Acknowledge, Acknowledged),
        (Escalated, FallBack, Resolved),
        (Acknowledged, Resolve, Resolved),
        (Acknowledged, FallBack, Resolved),
    ];
    for state in AlertState::ALL {
        for step in [Acknowledge, Escalate, Resolve, FallBack] {
            let expected = allowed
                .iter()
                .find(|way| way.0 == state && way.1 == step)
                .map(|way| way.2);
            assert_eq!(state.after(step), expected, "{state} {step:?}");
        }
    }
}

#[test]
fn names_read_back_as_what_they_were_written_from() {
    for level in Level::ALL {
        assert_eq!(level.as_str().parse(), Ok(level));
        assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
    }
    for state in AlertState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert!("fine".parse::<Level>().is_err());
}

proptest! {
    #[test]
    fn billing_more_never_lowers_the_level(
        value in 0i64..1_000_000_000, billed in -1_000_000i64..2_000_000_000, more in 0i64..1_000_000_000,
        thresholds in thresholds(),
    ) {
        let before = level_of(money(value), money(billed), thresholds);
        let after = level_of(money(value), money(billed + more), thresholds);
        prop_assert!(after >= before);
    }

    #[test]
    fn a_variation_upward_never_raises_the_level(
        value in 1i64..1_000_000_000, more in 0i64..1_000_000_000, billed in 0i64..2_000_000_000,
        thresholds in thresholds(),
    ) {
        let before = level_of(money(value), money(billed), thresholds);
        let after = level_of(money(value + more), money(billed), thresholds);
        prop_assert!(after <= before);
    }

    #[test]
    fn the_level_agrees_with_the_published_percentage(
        value in 1i64..1_000_000_000, billed in 0i64..2_000_000_000, thresholds in thresholds(),
    ) {
        let shown = utilisation(money(value), money(billed)).expect("the value is not zero");
        let expected = if shown > Decimal::ONE_HUNDRED {
            Level::OverBudget
        } else if shown >= thresholds.critical() {
            Level::Critical
        } else if shown >= thresholds.warning() {
            Level::Warning
        } else {
            Level::OnTrack
        };
        prop_assert_eq!(level_of(money(value), money(billed), thresholds), expected);
    }

    #[test]
    fn raising_then_falling_back_leaves_no_live_alert_above_the_order(levels in prop::collection::vec(0usize..4, 1..20)) {
        let mut at = Level::OnTrack;
        let mut live: Vec<Level> = Vec::new();
        for level in levels.into_iter().map(|index| Level::ALL[index]) {
            match crossing(at, level) {
                Crossing::Raise(raised) => {
                    prop_assert!(raised > Level::OnTrack);
                    if !live.contains(&raised) {
                        live.push(raised);
                    }
                }
                Crossing::CloseAbove(floor) => live.retain(|alert| *alert <= floor),
                Crossing::None => prop_assert_eq!(at, level),
            }
            at = level;
            prop_assert!(live.iter().all(|alert| *alert <= at && *alert > Level::OnTrack));
        }
    }
}
