"""From what is believed of the growth that lasts to a label, and to the reasons for it."""
