//! A report as text.

use std::fmt;

use super::{Policy, Relation, Report};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Read as {}", self.role)?;
        if let Some(organization) = self.organization {
            write!(f, " in organisation {organization}")?;
        }
        writeln!(f)?;
        for relation in &self.relations {
            writeln!(f, "\n{relation}")?;
        }
        if let Some(refused) = &self.refused {
            return writeln!(f, "\nThe request itself is refused: {refused}");
        }
        writeln!(f, "\nHow PostgreSQL ran it")?;
        for step in &self.steps {
            write!(f, "  {}", step.name)?;
            let figures = [
                (step.rows, "rows"),
                (step.removed, "left out"),
                (step.loops, "times"),
            ];
            for (figure, unit) in figures {
                if let Some(figure) = figure {
                    write!(f, ", {figure} {unit}")?;
                }
            }
            writeln!(f)?;
            for (name, condition) in &step.conditions {
                writeln!(f, "    {name}: {condition}")?;
            }
            if !step.conditions.is_empty() {
                writeln!(f, "    worked out {}", step.evaluation.told())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (read as {})", self.name, self.reader)?;
        if let Some(open) = self.open {
            return write!(f, "\n  no policy is asked: {open}");
        }
        if !self.policies.iter().any(|policy| policy.permissive) {
            write!(
                f,
                "\n  no permissive policy holds for this role: no row can be seen"
            )?;
        }
        for policy in &self.policies {
            write!(f, "\n  {policy}")?;
            if let Some(passed) = policy.passed {
                let refused = self.judged - passed;
                write!(
                    f,
                    "\n    lets through {passed} of {}, refuses {refused}",
                    self.rows()
                )?;
            }
        }
        match self.visible {
            Some(visible) => write!(f, "\n  together: {visible} of {} can be seen", self.rows()),
            None => write!(f, "\n  together: fails"),
        }
    }
}

impl Relation {
    fn rows(&self) -> String {
        let first = if self.more { "the first " } else { "" };
        format!("{first}{} rows", self.judged)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.permissive {
            "permissive"
        } else {
            "restrictive"
        };
        write!(
            f,
            "{kind} {:?} for {}: {}",
            self.name,
            self.roles.join(", "),
            self.expression
        )?;
        if let Some(evaluation) = self.evaluation {
            write!(f, "\n    worked out {}", evaluation.told())?;
        }
        match &self.error {
            Some(error) => write!(f, "\n    fails: {error}"),
            None => Ok(()),
        }
    }
}
