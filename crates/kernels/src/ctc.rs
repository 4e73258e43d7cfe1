//! Connectionist temporal classification (Graves et al., 2006), in the space of logarithms and in f64, one sample a task.

use crate::parallel::for_each;
use crate::real::Real;

/// Labels and lengths of a batch whose log-probabilities are `[steps, batch, classes]`.
#[derive(Debug, Clone)]
pub struct Ctc {
    pub classes: usize,
    pub blank: usize,
    /// Steps of each sample.
    pub steps: Vec<usize>,
    /// Labels of each sample.
    pub labels: Vec<Vec<usize>>,
}

const NEVER: f64 = f64::NEG_INFINITY;

fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if high == NEVER { NEVER } else { high + (low - high).exp().ln_1p() }
}

/// One sample: `at(t, class)` is a log-probability, `label(s)` the class of place `s` among the labels with blanks between and around them.
struct Sample<'a, T> {
    log_probabilities: &'a [T],
    batch: usize,
    index: usize,
    classes: usize,
    labels: &'a [usize],
    blank: usize,
    steps: usize,
}

impl<T: Real> Sample<'_, T> {
    fn at(&self, t: usize, class: usize) -> f64 {
        self.log_probabilities[(t * self.batch + self.index) * self.classes + class].f64()
    }

    fn places(&self) -> usize {
        2 * self.labels.len() + 1
    }

    fn label(&self, place: usize) -> usize {
        if place.is_multiple_of(2) { self.blank } else { self.labels[place / 2] }
    }

    /// Whether the place two before leads to this one: a blank may be left out between two different labels.
    fn skips(&self, place: usize) -> bool {
        place >= 2 && !place.is_multiple_of(2) && self.label(place) != self.label(place - 2)
    }

    /// `alpha[t][s]`: the log-probability of all ways to be at place s after step t.
    fn alpha(&self) -> Vec<f64> {
        let places = self.places();
        let mut alpha = vec![NEVER; self.steps * places];
        for t in 0..self.steps {
            let (before, now) = alpha.split_at_mut(t * places);
            for (s, now) in now[..places].iter_mut().enumerate() {
                let arrived = if t == 0 {
                    if s < 2 { 0.0 } else { NEVER }
                } else {
                    let before = &before[(t - 1) * places..];
                    let mut sum = before[s];
                    if s >= 1 {
                        sum = log_add(sum, before[s - 1]);
                    }
                    if self.skips(s) {
                        sum = log_add(sum, before[s - 2]);
                    }
                    sum
                };
                *now = arrived + self.at(t, self.label(s));
            }
        }
        alpha
    }

    /// The negative log-likelihood, from the ways that end at the last label or the blank behind it.
    fn loss(&self, alpha: &[f64]) -> f64 {
        if self.steps == 0 {
            return if self.labels.is_empty() { 0.0 } else { f64::INFINITY };
        }
        let last = &alpha[(self.steps - 1) * self.places()..];
        let end = last[self.places() - 1];
        -if self.places() > 1 { log_add(end, last[self.places() - 2]) } else { end }
    }

    /// Writes `g (e^x - e^(alpha beta / likelihood))` of each step and class: the gradient for scores before a log-softmax, which PyTorch
    /// gives for the log-probabilities. `put(t, class, value)`.
    fn gradient(&self, g: f64, put: &mut impl FnMut(usize, usize, f64)) {
        let alpha = self.alpha();
        let loss = self.loss(&alpha);
        let places = self.places();
        let mut beta = vec![NEVER; places];
        for t in (0..self.steps).rev() {
            let after = beta.clone();
            let mut by_class = vec![NEVER; self.classes];
            for (s, beta) in beta.iter_mut().enumerate() {
                let leaving = if t + 1 == self.steps {
                    if s + 2 >= places { 0.0 } else { NEVER }
                } else {
                    let mut sum = after[s];
                    if s + 1 < places {
                        sum = log_add(sum, after[s + 1]);
                    }
                    if s + 2 < places && self.skips(s + 2) {
                        sum = log_add(sum, after[s + 2]);
                    }
                    sum
                };
                let class = self.label(s);
                // Without this step's own probability, which alpha has already.
                by_class[class] = log_add(by_class[class], alpha[t * places + s] + leaving);
                *beta = leaving + self.at(t, class);
            }
            for (class, &ways) in by_class.iter().enumerate() {
                put(t, class, g * (self.at(t, class).exp() - (ways + loss).exp()));
            }
        }
    }
}

impl Ctc {
    #[inline]
    fn sample<'a, T: Real>(&'a self, log_probabilities: &'a [T], index: usize) -> Sample<'a, T> {
        let (steps, labels) = (self.steps[index], &self.labels[index]);
        Sample { log_probabilities, batch: self.steps.len(), index, classes: self.classes, labels, blank: self.blank, steps }
    }

    /// The loss of each sample, infinite where its labels do not fit into its steps.
    #[inline]
    pub fn forward<T: Real>(&self, log_probabilities: &[T]) -> Vec<T> {
        let mut out = vec![T::of(0.0); self.steps.len()];
        for_each(out.iter_mut().enumerate().collect(), log_probabilities.len(), |(index, out): (usize, &mut T)| {
            let sample = self.sample(log_probabilities, index);
            *out = T::of(sample.loss(&sample.alpha()));
        });
        out
    }

    /// The gradient for the log-probabilities; 0 for infinite losses with `zero_infinity`.
    #[inline]
    pub fn backward<T: Real>(&self, g: &[T], log_probabilities: &[T], losses: &[T], zero_infinity: bool) -> Vec<T> {
        let mut parts: Vec<Vec<T>> = self.steps.iter().map(|steps| vec![T::of(0.0); steps * self.classes]).collect();
        for_each(parts.iter_mut().enumerate().collect(), log_probabilities.len(), |(index, part): (usize, &mut Vec<T>)| {
            if !(zero_infinity && losses[index].f64() == f64::INFINITY) {
                let put = &mut |t: usize, class: usize, value: f64| part[t * self.classes + class] = T::of(value);
                self.sample(log_probabilities, index).gradient(g[index].f64(), put);
            }
        });
        let mut out = vec![T::of(0.0); log_probabilities.len()];
        let row = self.steps.len() * self.classes;
        for (index, part) in parts.iter().enumerate() {
            for (t, values) in part.chunks_exact(self.classes).enumerate() {
                out[t * row + index * self.classes..][..self.classes].copy_from_slice(values);
            }
        }
        out
    }
}
