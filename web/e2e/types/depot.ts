export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Which features the client may count on.
  __InternalSupabase: {
    PostgrestVersion: "14"
  }
  depot: {
    Tables: {
      boxes: {
        Row: {
          code: string
          hall_id: number
          label: string | null
          note: Json | null
          packed_at: string
          sealed: boolean | null
          size: Database["depot"]["Enums"]["size"]
          title: string | null
          volume: number | null
          weight: number
        }
        Insert: {
          code: string
          hall_id: number
          label?: never
          note?: Json | null
          packed_at?: string
          sealed?: boolean | null
          size?: Database["depot"]["Enums"]["size"]
          volume?: number | null
          weight: number
        }
        Update: {
          code?: string
          hall_id?: number
          label?: never
          note?: Json | null
          packed_at?: string
          sealed?: boolean | null
          size?: Database["depot"]["Enums"]["size"]
          volume?: number | null
          weight?: number
        }
        Relationships: [
          {
            foreignKeyName: "boxes_hall_id_fkey"
            columns: ["hall_id"]
            isOneToOne: false
            referencedRelation: "halls"
            referencedColumns: ["id"]
          },
        ]
      }
      halls: {
        Row: {
          address: Database["depot"]["CompositeTypes"]["address"] | null
          bays: number[]
          colour: Json | null
          id: number
          mail: string | null
          name: string
          "opens at": string | null
          type: string | null
        }
        Insert: {
          address?: Database["depot"]["CompositeTypes"]["address"] | null
          bays?: number[]
          colour?: number | null
          id?: never
          mail?: string | null
          name: string
          "opens at"?: string | null
          type?: string | null
        }
        Update: {
          address?: Database["depot"]["CompositeTypes"]["address"] | null
          bays?: number[]
          colour?: number | null
          id?: never
          mail?: string | null
          name?: string
          "opens at"?: string | null
          type?: string | null
        }
        Relationships: []
      }
      seals: {
        Row: {
          box: string
          marks: Database["depot"]["Enums"]["size"][] | null
          number: number
        }
        Insert: {
          box: string
          marks?: Database["depot"]["Enums"]["size"][] | null
          number: number
        }
        Update: {
          box?: string
          marks?: Database["depot"]["Enums"]["size"][] | null
          number?: number
        }
        Relationships: [
          {
            foreignKeyName: "seals_box_fkey"
            columns: ["box"]
            isOneToOne: true
            referencedRelation: "boxes"
            referencedColumns: ["code"]
          },
          {
            foreignKeyName: "seals_box_fkey"
            columns: ["box"]
            isOneToOne: true
            referencedRelation: "heavy_boxes"
            referencedColumns: ["code"]
          },
        ]
      }
    }
    Views: {
      heavy_boxes: {
        Row: {
          code: string | null
          weight: number | null
        }
        Insert: {
          code?: string | null
          weight?: number | null
        }
        Update: {
          code?: string | null
          weight?: number | null
        }
        Relationships: []
      }
      totals: {
        Row: {
          boxes: number | null
          hall_id: number | null
          weight: number | null
        }
        Relationships: [
          {
            foreignKeyName: "boxes_hall_id_fkey"
            columns: ["hall_id"]
            isOneToOne: false
            referencedRelation: "halls"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Functions: {
      as_json: {
        Args: {
          "": number
        }
        Returns: Json
      }
      boxes_of: {
        Args: {
          hall: number
          lightest?: number
        }
        Returns: Database["depot"]["Tables"]["boxes"]["Row"][]
        SetofOptions: {
          from: "*"
          to: "boxes"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      heaviest: {
        Args: {
          "": Database["depot"]["Tables"]["halls"]["Row"]
        }
        Returns: Database["depot"]["Tables"]["boxes"]["Row"]
        SetofOptions: {
          from: "halls"
          to: "boxes"
          isOneToOne: true
          isSetofReturn: true
        }
      }
      nearby: {
        Args: {
          zip: string
        }
        Returns: { name: string; distance: number }[]
      }
      pack: {
        Args: {
          codes: string[]
        }
        Returns: undefined
      }
      read: {
        Args: {
          "": Json
        }
        Returns: Json
      }
      sizes: {
        Args: never
        Returns: Database["depot"]["Enums"]["size"][]
      }
      title: {
        Args: {
          "": Database["depot"]["Tables"]["boxes"]["Row"]
        }
        Returns: string
      }
      weigh:
        | {
          Args: {
            code: string
          }
          Returns: number
        }
        | {
          Args: {
            code: string
            unit: string
          }
          Returns: string
        }
    }
    Enums: {
      size: "small" | "large" | "extra large"
    }
    CompositeTypes: {
      address: {
        street: string | null
        zip: string | null
      }
    }
  }
}

type DefaultName = "depot"

type Schemas = Omit<Database, "__InternalSupabase">

type InSchema = { schema: keyof Schemas }

/** The schema that is meant: the one named, or the default. */
type Chosen<Place> = Place extends InSchema ? Schemas[Place["schema"]] : Schemas[DefaultName]

/** The names that may follow when a schema was named. */
type NameIn<Place, Part extends PropertyKey> = Place extends InSchema
  ? keyof Schemas[Place["schema"]][Part & keyof Schemas[Place["schema"]]]
  : never

/** What stands under a name in a part of the schema that is meant. */
type Find<Place, Name, Part extends PropertyKey> = Chosen<Place> extends { [P in Part]: infer Found }
  ? (Place extends InSchema ? Name : Place) extends infer Key
    ? Key extends keyof Found
      ? Found[Key]
      : never
    : never
  : never

type DefaultKeys<Part extends keyof Schemas[DefaultName]> = keyof Schemas[DefaultName][Part]

/** A row as it is read: `Tables<"orders">`, or `Tables<{ schema: "shop" }, "orders">`. */
export type Tables<
  Place extends DefaultKeys<"Tables"> | DefaultKeys<"Views"> | InSchema,
  Name extends NameIn<Place, "Tables"> | NameIn<Place, "Views"> = never,
> = (Find<Place, Name, "Tables"> | Find<Place, Name, "Views">) extends { Row: infer Row } ? Row : never

/** A row as it is inserted. */
export type TablesInsert<
  Place extends DefaultKeys<"Tables"> | InSchema,
  Name extends NameIn<Place, "Tables"> = never,
> = Find<Place, Name, "Tables"> extends { Insert: infer Insert } ? Insert : never

/** What of a row is changed. */
export type TablesUpdate<
  Place extends DefaultKeys<"Tables"> | InSchema,
  Name extends NameIn<Place, "Tables"> = never,
> = Find<Place, Name, "Tables"> extends { Update: infer Update } ? Update : never

/** The words of an enum. */
export type Enums<
  Place extends DefaultKeys<"Enums"> | InSchema,
  Name extends NameIn<Place, "Enums"> = never,
> = Find<Place, Name, "Enums">

/** A value of a composite type. */
export type CompositeTypes<
  Place extends DefaultKeys<"CompositeTypes"> | InSchema,
  Name extends NameIn<Place, "CompositeTypes"> = never,
> = Find<Place, Name, "CompositeTypes">

export const Constants = {
  depot: {
    Enums: {
      size: ["small", "large", "extra large"],
    },
  },
} as const
