"""SOPs: timed plans of touches. A plan, the people in it, what falls due, and the pushes that WeCom gets."""
