//! Stochastic gradient descent with momentum (Sutskever et al., ICML 2013), as `torch.optim.SGD`.

use crate::step::{Incoming, Item, Real};

#[derive(Debug, Clone, Copy)]
pub struct Sgd {
    pub lr: f64,
    pub momentum: f64,
    pub dampening: f64,
    pub weight_decay: f64,
    pub nesterov: bool,
}

impl Sgd {
    /// Updates one piece in one pass; state: the momentum buffer, unless momentum is 0.
    #[inline(always)]
    pub fn update<T: Real>(&self, item: Item<'_, T>, incoming: Incoming) {
        if incoming.is_bounded() { self.pass::<T, true>(item, incoming) } else { self.pass::<T, false>(item, incoming) }
    }

    #[inline(always)]
    fn pass<T: Real, const BOUNDED: bool>(&self, item: Item<'_, T>, incoming: Incoming) {
        let (lr, decay, momentum) = (T::of(self.lr), T::of(self.weight_decay), T::of(self.momentum));
        // The first gradient enters the buffer undampened.
        let (keep, enter) = if item.fresh { (T::of(0.0), T::of(1.0)) } else { (momentum, T::of(1.0 - self.dampening)) };
        let each = item.param.iter_mut().zip(item.grad);
        if self.momentum == 0.0 {
            for (p, &g) in each {
                *p = *p - lr * (incoming.take::<T, BOUNDED>(g) + decay * *p);
            }
            return;
        }
        for ((p, &g), buffer) in each.zip(item.state[0].iter_mut()) {
            let g = incoming.take::<T, BOUNDED>(g) + decay * *p;
            *buffer = keep * *buffer + enter * g;
            let direction = if self.nesterov { g + momentum * *buffer } else { *buffer };
            *p = *p - lr * direction;
        }
    }
}
