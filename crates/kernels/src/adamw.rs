//! AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019), as `torch.optim.AdamW`.

use crate::step::{Incoming, Item, Real};

#[derive(Debug, Clone, Copy)]
pub struct AdamW {
    pub lr: f64,
    pub betas: [f64; 2],
    pub eps: f64,
    pub weight_decay: f64,
    pub amsgrad: bool,
}

impl AdamW {
    /// Updates one piece in one pass; state: m, v and, for amsgrad, the largest v.
    #[inline(always)]
    pub fn update<T: Real>(&self, item: Item<'_, T>, incoming: Incoming) {
        if incoming.is_bounded() { self.pass::<T, true>(item, incoming) } else { self.pass::<T, false>(item, incoming) }
    }

    #[inline(always)]
    fn pass<T: Real, const BOUNDED: bool>(&self, item: Item<'_, T>, incoming: Incoming) {
        let [b1, b2] = self.betas;
        let decay = T::of(1.0 - self.lr * self.weight_decay);
        let (w1, b2_t, w2) = (T::of(1.0 - b1), T::of(b2), T::of(1.0 - b2));
        let step_size = T::of(self.lr / (1.0 - b1.powf(item.step)));
        // A factor, where PyTorch divides: the same but for the last bit, and a division an element less.
        let root = T::of(1.0 / (1.0 - b2.powf(item.step)).sqrt());
        let eps = T::of(self.eps);
        let [m, v, largest] = item.state;
        let each = item.param.iter_mut().zip(item.grad).zip(m.iter_mut().zip(v.iter_mut()));
        if self.amsgrad {
            for (((p, &g), (m, v)), largest) in each.zip(largest.iter_mut()) {
                let g = incoming.take::<T, BOUNDED>(g);
                *m = *m + w1 * (g - *m);
                *v = b2_t * *v + w2 * (g * g);
                *largest = largest.max(*v);
                *p = *p * decay - step_size * (*m / (largest.sqrt() * root + eps));
            }
        } else {
            for ((p, &g), (m, v)) in each {
                let g = incoming.take::<T, BOUNDED>(g);
                *m = *m + w1 * (g - *m);
                *v = b2_t * *v + w2 * (g * g);
                *p = *p * decay - step_size * (*m / (v.sqrt() * root + eps));
            }
        }
    }
}
