-- Every reference stays inside one organisation: org_id is part of the key on both sides.

alter table purchasing.orders add constraint orders_supplier_id_fkey
  foreign key (org_id, supplier_id) references purchasing.suppliers (org_id, id);

alter table purchasing.entries add constraint entries_order_id_fkey
  foreign key (org_id, order_id) references purchasing.orders (org_id, id);

alter table purchasing.alerts add constraint alerts_order_id_fkey
  foreign key (org_id, order_id) references purchasing.orders (org_id, id);
